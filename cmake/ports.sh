#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ports.sh [PORT]...: build the libraries for other machines and libcs and run the tests there: on this machine
# where it can, else in an emulator. A port is a file of cmake/toolchains/, without its ending; all, when none is
# named. One line each; what happened in full is in build/ports/<port>.log. LIMIT is the time that the
# tests of one port may take; a port that is stopped has failed.
set -euo pipefail
cd "$(dirname "$0")/.."

jobs=${JOBS:-$(nproc)}
limit=${LIMIT:-30m}
ports=("$@")
if [ $# = 0 ]; then
    ports=(cmake/toolchains/*.cmake)
    ports=("${ports[@]##*/}")
    ports=("${ports[@]%.cmake}")
fi

# has PORT: its compiler and its emulator are there, as a line in its file names them.
has() {
    local tool
    for tool in $(sed -n 's/^# Needs: //p' "cmake/toolchains/$1.cmake"); do
        command -v "$tool" >/dev/null || return 1
    done
}

# count LOG: what ctest said of its tests.
count() {
    local pass fail skip
    pass=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* Passed ' "$1" || true)
    fail=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*(Failed|Timeout|Exception|Not Run( |$)[^(])' "$1" || true)
    skip=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*(\*\*\*Skipped|Not Run \(Disabled\))' "$1" || true)
    echo "$pass passed, $fail failed, $skip left out"
}

# stopped LOG: the words for tests that were cut off.
stopped() {
    grep -q '^Total Test time' "$1" || echo ", stopped after $limit"
}

# port NAME: its line; whether all went well.
port() {
    local dir=build/ports/$1 log=build/ports/$1.log
    if ! has "$1"; then
        printf '%-18s not built: no compiler or emulator here\n' "$1"
        return 0
    fi
    if ! { cmake -S . -B "$dir" --toolchain "cmake/toolchains/$1.cmake" -DVM_SYMBOLS=OFF -DVM_ZLIB=OFF -DVM_TEST_TIMEOUT=600 &&
        cmake --build "$dir" -j "$jobs"; } >"$log" 2>&1; then
        printf '%-18s not built: %s\n' "$1" "$log"
        return 1
    fi
    if (cd "$dir" && timeout "$limit" ctest --output-on-failure -j "$jobs") >>"$log" 2>&1; then
        printf '%-18s built, %s\n' "$1" "$(count "$log")"
        rm -rf "$dir/wine" # much, and made anew when need be
        return 0
    fi
    printf '%-18s built, %s%s: %s\n' "$1" "$(count "$log")" "$(stopped "$log")" "$log"
    sed -n 's/^ *[0-9]*\/[0-9]* Test *#[0-9]*: \([^ ]*\) .*\*\*\*\(Failed\|Timeout\|Exception\).*/    \1/p' "$log"
    return 1
}

mkdir -p build/ports
status=0
for name in "${ports[@]}"; do
    port "$name" || status=1
done
exit $status
