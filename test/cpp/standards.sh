#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# vmalloc.hpp with each compiler and standard library at hand, as C++17, 20 and 23: no warning; the tests run
# with libc++ too. (The build runs them with the default one.)
set -euo pipefail

build=$(realpath "${VMALLOC_BUILD:?}")
source=${VMALLOC_SOURCE:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=test/support/_foreign.sh
. "$source/test/support/_foreign.sh"
pass_by_foreign "$build/libvmalloc.so"
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Werror)
tried=0

# there COMPILER OPTION...: whether it makes programs of the tests' kind
there() {
    command -v "$1" >/dev/null &&
        printf '#include <map>\n#include <vector>\nint main() {}\n' |
        "$@" -x c++ - -o "$work/empty" 2>/dev/null && "$work/empty"
}

# tries COMPILER OPTION...: the header alone, used by the examples
tries() {
    there "$@" || return 0
    "$@" "${warnings[@]}" -fsyntax-only -I"$source/include" "$source/examples/12-owners.cpp" \
        "$source/examples/image-containers.cpp" "$source/examples/image-named.cpp" ||
        { echo "FAILED: $*"; exit 1; }
    echo "$*"
    tried=$((tried + 1))
}

# runs COMPILER OPTION...: the tests
runs() {
    there "$@" || return 0
    "$@" -Wall -Wextra -Werror -I"$source/include" "$source/test/cpp/hpp.cpp" -o "$work/hpp" \
        "-Wl,-rpath,$build" -L"$build" -lvmalloc -lcmocka -pthread || { echo "FAILED: $*"; exit 1; }
    "$work/hpp" >"$work/log" 2>&1 || { cat "$work/log"; echo "FAILED: $*"; exit 1; }
    echo "$* runs"
    tried=$((tried + 1))
}

tries g++ -std=c++17
tries g++ -std=c++2b
tries clang++ -std=c++20
tries clang++ -std=c++2b -stdlib=libc++
[ -e /usr/include/cmocka.h ] || [ -e /usr/local/include/cmocka.h ] || exit 0
runs clang++ -std=c++17 -stdlib=libc++
runs g++ -std=c++20
[ $tried -gt 0 ] || { echo "no compiler for C++17"; exit 77; }
