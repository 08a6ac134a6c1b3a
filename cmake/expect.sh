#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# expect.sh FILE PROGRAM ARGS: the program succeeds and its standard output equals FILE, but for how lines end.
set -euo pipefail
expected=$1
shift
actual=$(mktemp)
trap 'rm -f "$actual"' EXIT
"$@" >"$actual"
diff -u --strip-trailing-cr "$expected" "$actual"
