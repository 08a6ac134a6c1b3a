#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The README's first program is example 01, word for word; links between files lead somewhere.
set -euo pipefail

source=${VMALLOC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$source"
failed=0

shown=$(awk '/^```c$/ { on = 1; next } /^```$/ && on { exit } on' README.md)
example=$(cat examples/01-region.c)
if [ -z "$shown" ] || [[ "$example" != *"$shown"* ]]; then
    echo "README.md: its first program is not part of examples/01-region.c"
    failed=1
fi

# links FILE: what it links to, less other sites and places in the same file
links() {
    { grep -oE '\]\([^)#]+' "$1" || true; } | cut -c3- | { grep -vE '^[a-z]+:' || true; }
}

while read -r file; do
    while read -r target; do
        if [ ! -e "$(dirname "$file")/$target" ]; then
            echo "$file: links to $target, which does not exist"
            failed=1
        fi
    done < <(links "$file")
done < <(find . -maxdepth 3 -name '*.md' -not -path './build*' -not -path './.*')
exit "$failed"
