#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The stand-in for cmocka, which `make ports` compiles tests with, has all that tests use of cmocka: a test that asks
# for more would not build there, and nobody would see it here.
set -euo pipefail

tests=${VMALLOC_SOURCE:?}/test
calls() {
    grep -rhoE '\b(assert|cmocka|print|expect|will)_[a-z_]+\(|\b(skip|fail_msg)\(' "$@" | sort -u
}

used=$(calls "$tests" --include='*.c' --include='*.h' --include='*.cpp' --exclude-dir=support)
own=$(grep -rhoE '# *define (assert|print|fail|skip)[a-z_]*\(' "$tests" --include='*.h' --exclude-dir=support |
    sed 's/# *define //' | sort -u) # macros of the tests' own
there=$(calls "$tests/support/cmocka/cmocka.h")
missing=$(comm -23 <(echo "$used") <(sort -u <<<"$own"$'\n'"$there"))
if [ -n "$missing" ] || [ -z "$used" ]; then
    echo "test/support/cmocka/cmocka.h lacks: ${missing//$'\n'/ }"
    exit 1
fi
