#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# doc/guide.md shows the numbered examples as they are: see _guide.py.
set -euo pipefail

python3 "$(dirname "$0")/_guide.py" "${VMALLOC_SOURCE:?}"
