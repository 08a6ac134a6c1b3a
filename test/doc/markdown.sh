#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The README's first program is example 01, word for word; links between files lead somewhere,
# also those to headings: see _links.py.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source=${VMALLOC_SOURCE:-$here/../..}
cd "$source"
failed=0

shown=$(awk '/^```c$/ { on = 1; next } /^```$/ && on { exit } on' README.md)
example=$(cat examples/01-region.c)
if [ -z "$shown" ] || [[ "$example" != *"$shown"* ]]; then
    echo "README.md: its first program is not part of examples/01-region.c"
    failed=1
fi

python3 "$here/_links.py" . || failed=1
exit "$failed"
