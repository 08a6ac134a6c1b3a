#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The tables of doc/coming-from.md and doc/cpp.md name nothing that the public headers do not have.
set -euo pipefail

cd "${VMALLOC_SOURCE:?}"
failed=0
headers=$(cat include/*.h include/vmalloc/*)
for file in doc/coming-from.md doc/cpp.md; do
    while read -r name; do
        grep -qw -- "$name" <<<"$headers" || { echo "$file: $name is in no header"; failed=1; }
    done < <(grep -oE '\b(vm|Vm|VM)[A-Za-z_]*[a-zA-Z]\b|\bst\.[a-z_]+|vm::[a-z_]+' "$file" |
        sed 's/^st\.//; s/^vm:://' | grep -vxE 'vm|VMALLOC_OPTIONS|VMALLOC_[A-Z]*' | sort -u)
done
exit $failed
