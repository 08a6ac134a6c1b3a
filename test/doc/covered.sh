#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each public name has a manual page, a test and an example, or a reason in covered.txt: see _covered.py.
set -euo pipefail

python3 "$(dirname "$0")/_covered.py" "${VMALLOC_SOURCE:?}" "${VMALLOC_BUILD:?}"
