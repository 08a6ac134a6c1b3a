#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each public header compiles alone, without a warning, with each compiler at hand, in each standard of C and
# C++, with and without VMFL.
set -euo pipefail

source=${VMALLOC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$source/include"

warnings='-Wall -Wextra -Wpedantic -Werror'
c_standards='c89 c99 c11 c17 c2x'
cxx_standards='c++98 c++03 c++11 c++14 c++17 c++20 c++23'

# spelling COMPILER LANGUAGE STANDARD: how the compiler calls the standard; nothing if it does not know it
spelling() {
    local name
    for name in "$3" "${3/23/2b}" "${3/17/1z}"; do
        if "$1" -x "$2" -std="$name" -fsyntax-only /dev/null 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

# headers STANDARD: those that claim to work in it
headers() {
    ls vmalloc.h
    find ast_common.h vmalloc -name '*.h' 2>/dev/null | sort
    case $1 in
        c++17 | c++20 | c++23) find vmalloc -name '*.hpp' 2>/dev/null | sort ;;
    esac
}

# plan COMPILER LANGUAGE STANDARDS: one line for each compilation
plan() {
    local standard name header
    command -v "$1" >/dev/null || return 0
    for standard in $3; do
        name=$(spelling "$1" "$2" "$standard")
        if [ -z "$name" ]; then
            echo "$1 does not know $standard" >&2
            continue
        fi
        for header in $(headers "$standard"); do
            printf '#include "%s"\nextern int vm_header_check;\n' "$header" >"$work/${header//\//_}.$2"
            echo "$1 -x $2 -std=$name $warnings -fsyntax-only -I. $work/${header//\//_}.$2"
            echo "$1 -x $2 -std=$name $warnings -fsyntax-only -I. -DVMFL $work/${header//\//_}.$2"
        done
    done
}

for compiler in gcc clang; do plan $compiler c "$c_standards"; done >"$work/plan"
for compiler in g++ clang++; do plan $compiler c++ "$cxx_standards"; done >>"$work/plan"
if [ ! -s "$work/plan" ]; then
    echo "neither gcc nor clang is there"
    exit 77
fi
echo "$(wc -l <"$work/plan") compilations"
xargs -P2 -I{} sh -c '{} || { echo "failed: {}"; exit 1; }' <"$work/plan"
