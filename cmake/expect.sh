#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# expect.sh FILE PROGRAM ARGS: the program succeeds and its standard output equals FILE.
set -euo pipefail
expected=$1
shift
actual=$(mktemp)
trap 'rm -f "$actual"' EXIT
"$@" >"$actual"
diff -u "$expected" "$actual"
