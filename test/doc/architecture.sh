#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The picture of the rooms is that of cmake/rooms.txt and src/README.md as they are now.
set -euo pipefail

cd "${VMALLOC_SOURCE:?}"
if ! python3 cmake/rooms-picture.py | cmp - doc/pictures/rooms.svg; then
    echo "make it anew: python3 cmake/rooms-picture.py >doc/pictures/rooms.svg"
    exit 1
fi
