#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# codespell knows no misspelling in the documents, the headers and the sources.  Words of ours that it takes for
# some are in spelling.txt, in small letters.
set -euo pipefail

cd "${VMALLOC_SOURCE:?}"
if ! command -v codespell >/dev/null; then
    echo "codespell is not there"
    exit 77
fi
find . \( -name '.?*' -o -name build -o -name node_modules -o -path ./tools/web -o -path ./abi \) -prune -o \
    -type f \( -name '*.md' -o -name '*.[137ch]' -o -name '*.[ch]pp' -o -name '*.py' -o -name '*.sh' -o -name '*.txt' \) \
    -not -name spelling.txt -print0 |
    xargs -0 codespell -q 3 -I test/doc/spelling.txt
