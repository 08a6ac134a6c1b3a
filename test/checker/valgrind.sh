#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Valgrind finds errors in blocks of regions, with the stacks of who allocated and freed them, and finds
# nothing in a program that has none.
set -uo pipefail

: "${VMALLOC_SOURCE:?}" "${VMALLOC_BUILD:?}"
for tool in valgrind cc; do
    command -v $tool >/dev/null || { echo "$tool is not there"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_PRELOAD VMALLOC_OPTIONS VMTOOLS
failed=0
library=$VMALLOC_BUILD/libvmalloc.so
cc -g -pthread -I "$VMALLOC_SOURCE/include" "$VMALLOC_SOURCE/test/checker/_program.c" "$library" \
    -Wl,-rpath,"$(realpath "$VMALLOC_BUILD")" -o "$work/program" || { echo "cannot be linked here"; exit 77; }
# A program of another machine, a system that Valgrind does not know.
timeout 100 valgrind -q --error-exitcode=99 "$work/program" best none >/dev/null 2>&1
[ $? -eq 0 ] || { echo "valgrind does not run a program here"; exit 77; }

# run KIND CRIME: $work/said and $code
run() {
    timeout 100 valgrind --leak-check=full --errors-for-leak-kinds=none --fair-sched=try --error-exitcode=99 \
        "$work/program" "$1" "$2" >"$work/said" 2>&1
    code=$?
    sed -i 's/^==[0-9]*== *//' "$work/said"
}

fail() {
    echo "$*"
    head -60 "$work/said"
    failed=1
}

# found KIND FUNCTION LINE...: an error whose first frame is FUNCTION and that is described by each LINE
found() {
    local kind=$1 function=$2 line
    shift 2
    awk -v f="$function" '/^(Invalid|Conditional)/ { on = 0; first = $0; next }
        first != "" { on = ($1 == "at" && $3 == f); if (on) print first; first = "" }
        /^HEAP SUMMARY/ { on = 0 }
        on' "$work/said" >"$work/error"
    for line; do
        grep -q "$line" "$work/error" || { fail "$kind, $function: no \"$line\""; cat "$work/error"; }
    done
}

for kind in best last1 pool bestn; do
    run $kind all
    [ $code -eq 99 ] || fail "$kind: no error, $code"
    found $kind past 'Invalid write of size 1' 'is 0 bytes after a block of size 10 ' 'by .*: fresh '
    found $kind before 'Invalid read of size 1' 'is 1 bytes before a block of size 10 '
    found $kind freed 'Invalid read of size 1' "is 3 bytes inside a block of size 10 free'd" 'Block was alloc' 'by .*: fresh '
    found $kind cleared 'Invalid read of size 1' "is 9 bytes inside a block of size 10 free'd" 'vmclear'
    if [ $kind = last1 ]; then
        found $kind released 'Invalid read of size 1' "is 0 bytes inside a block of size 10 free'd" 'vmrelease'
    fi
done
for kind in best pool1 last besto; do
    run $kind good
    [ $code -eq 0 ] && ! grep -qE '^(Invalid|Conditional|Block 0x)' "$work/said" || fail "$kind: not silent, $code"
done
# Turned off, nothing is told and nothing found.
VMTOOLS=off run best past
[ $code -eq 0 ] || fail "VMTOOLS=off: $code"
exit $failed
