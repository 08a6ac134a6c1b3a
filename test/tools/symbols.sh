#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# vmalloc symbols: names and lines of a program and a library in C and C++, inlined functions, build-ids, debug
# information in a file of its own, and lines that make no sense.
set -uo pipefail

command=${VMALLOC_BUILD:?}/vmalloc
cxx=${CXX:-g++}
if [ ! -x "$command" ] || ! command -v "$cxx" objcopy nm readelf >/dev/null; then
    echo "$command is not built, or there is no C++ compiler or no binutils"
    exit 77
fi
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
failed=0

# expect WHAT GOT PATTERN
expect() {
    # shellcheck disable=SC2053
    [[ $2 == $3 ]] && return
    printf '%s: got\n%s\nwanted\n%s\n' "$1" "$2" "$3"
    failed=1
}

# ask LINE...: the answers without the hello
ask() {
    printf '%s\n' "$@" | timeout 60 "$command" symbols | tail -n +2
}

expect hello "$(printf '' | "$command" symbols)" 'vmalloc symbols 1'
expect "no sense" "$(ask nonsense '' 'a b c' '/bin/sh - 12x' '/nonexistent - 10'; echo .)" \
    $'\n\n\n\n\n.'
"$command" symbols --help | grep -q BUILDID || failed=1
"$command" symbols extra >/dev/null 2>&1
expect "status of a wrong use" $? 2
if ! "$command" --version | grep -q '^symbols: elfutils'; then
    echo "the command was built without elfutils"
    exit $((failed ? 1 : 77))
fi

cat >"$work/a b.cpp" <<'END'
volatile int sink;
static inline __attribute__((always_inline)) void inner(int n)
{
    sink = n;
}
namespace space {
template <typename T> __attribute__((noinline)) void outer(T n)
{
    inner(n + 1);
}
}
int main()
{
    space::outer<int>(1);
    return 0;
}
END
(cd "$work" && "$cxx" -g -O2 -Wl,--build-id "a b.cpp" -o "a b") || exit 77
prog="$work/a b"
offset=$(nm "$prog" | awk '/outer/ { print $1; exit }')
id=$(readelf -n "$prog" | awk '/Build ID/ { print $3 }')
want=$'inner*\t'"$work/a b.cpp:[34]"$'\nvoid space::outer<int>(int)\t'"$work/a b.cpp:9"$'\n'
first() { # the first instruction of outer() may be that of its own: take one with the inlined store
    local at
    for at in 0 1 2 3 4 5 6 7 8 9; do
        ask "$1 $2 $(printf %x $((0x$offset + at)))" | grep -q ^inner && break
    done
    printf %x $((0x$offset + at))
}
at=$(first "$prog" "$id")
expect "inlined" "$(ask "$prog $id $at"; echo .)" "$want"$'\n.'
expect "without id" "$(ask "$prog - $at" | head -1)" $'inner*\t*'
expect "another build" "$(ask "$prog 00$id $at")" ''

# Symbols without debug information; then none at all; then with the information beside the program.
objcopy --strip-debug "$prog" "$work/symbols"
expect "no lines" "$(ask "$work/symbols $id $at")" $'void space::outer<int>(int)\t\\?:0'
strip -o "$work/stripped" "$prog"
expect "stripped" "$(ask "$work/stripped $id $at")" ''
objcopy --only-keep-debug "$prog" "$work/stripped.debug"
objcopy --add-gnu-debuglink="$work/stripped.debug" "$work/stripped" "$work/linked"
expect "debug link" "$(ask "$work/linked $id $at" | tail -2)" $'void space::outer<int>(int)\t'"$work/a b.cpp:9"

exit $failed
