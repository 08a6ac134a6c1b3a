#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program built with -fsanitize=address finds errors in blocks of regions of the library as it is
# installed, shared and static, and nothing where there are none.
set -uo pipefail

: "${VMALLOC_SOURCE:?}" "${VMALLOC_BUILD:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_PRELOAD VMALLOC_OPTIONS VMTOOLS
export ASAN_OPTIONS=detect_leaks=0
failed=0 ran=0

# AddressSanitizer of some compilers fails now and then where addresses are random in too many bits.
steady=()
setarch "$(uname -m)" -R true 2>/dev/null && steady=(setarch "$(uname -m)" -R)

# run COMMAND...: $work/said and $code
run() {
    timeout 60 "${steady[@]}" "$@" >"$work/said" 2>&1
    code=$?
}

fail() {
    echo "$*"
    head -30 "$work/said"
    failed=1
}

# crimes NAME PROGRAM
crimes() {
    local kind crime
    for kind in best best1 last pool bestn; do
        for crime in past before freed cleared released; do
            case $kind,$crime in
            last,*) ;;
            *,released) continue ;;
            esac
            run "$2" $kind $crime
            [ $code -ne 0 ] && grep -q 'AddressSanitizer: use-after-poison' "$work/said" &&
                grep -qE "#0 .* in $crime( |\$)" "$work/said" || fail "$1, $kind, $crime: not found, $code"
        done
    done
    for kind in best best1 last last1 pool pool1 bestn lastn besto; do
        run "$2" $kind good
        [ $code -eq 0 ] || fail "$1, $kind, good: $code"
    done
    # Leaks, where the search for them works: debuggers and containers may not let it.
    ASAN_OPTIONS=detect_leaks=1 run "$2" best loses
    if grep -q 'detected memory leaks' "$work/said"; then
        for kind in best last pool bestn; do
            ASAN_OPTIONS=detect_leaks=1 run "$2" $kind holds
            [ $code -eq 0 ] || fail "$1, $kind, holds: $code"
        done
    fi
    VMTOOLS=off run "$2" best past
    [ $code -eq 0 ] || fail "$1, VMTOOLS=off: $code"
}

# try NAME COMPILER LIBRARY
try() {
    command -v "$2" >/dev/null || return 0
    "$2" -g -pthread -fsanitize=address -I "$VMALLOC_SOURCE/include" "$VMALLOC_SOURCE/test/checker/_program.c" "$3" \
        -Wl,-rpath,"$(realpath "$VMALLOC_BUILD")" -o "$work/program" 2>"$work/said" || return 0
    run "$work/program" best none
    [ $code -eq 0 ] || return 0 # not built for this machine, or no room for the shadow
    ran=1
    crimes "$1" "$work/program"
}

try 'gcc, shared' gcc "$VMALLOC_BUILD/libvmalloc.so"
try 'clang, static' clang "$VMALLOC_BUILD/libvmalloc.a"
[ $ran -eq 1 ] || { echo "no compiler with AddressSanitizer here"; exit 77; }
exit $failed
