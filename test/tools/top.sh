#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# vmalloc top: shows the regions of a running program that was preloaded, and of one that is linked and
# stripped; says what to do where it cannot. The option stat writes the same at the end.
set -uo pipefail

command=${VMALLOC_BUILD:?}/vmalloc
library=$(realpath "$VMALLOC_BUILD/libvmalloc-malloc.so")
if [ ! -x "$command" ] || [ ! -e "$library" ] || ! command -v cc >/dev/null; then
    echo "$command or $library is not built, or there is no compiler"
    exit 77
fi
unset LD_PRELOAD VMALLOC_OPTIONS VMALLOC_LIB
# shellcheck source=test/support/_foreign.sh
. "${VMALLOC_SOURCE:?}/test/support/_foreign.sh"
pass_by_foreign "$library"
work=$(realpath "$(mktemp -d)")
pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done; rm -rf "$work"' EXIT
failed=0
mkdir "$work/build" # a path without spaces
cp "$command" "$library" "$work/build"
command=$work/build/vmalloc
ln -s "$work/build/${library##*/}" "$work/build/libvmalloc-malloc.so"

expect() {
    local status=$1 pattern=$2 output got
    shift 2
    output=$(timeout 20 "$@" 2>&1)
    got=$?
    # shellcheck disable=SC2053
    if [ "$got" != "$status" ] || [[ $output != $pattern ]]; then
        printf 'FAILED: %s\n  status %s, expected %s\n  output "%s"\n  expected "%s"\n' \
            "$*" "$got" "$status" "$output" "$pattern"
        failed=1
    fi
}

cat >"$work/regions.c" <<'END'
#include <stdio.h>
#include <unistd.h>
#include <vmalloc.h>

int main(void)
{
    Vmalloc_t *a = vmopen(Vmdcheap, Vmpool, 0), *b = vmopen(Vmdcsystem, Vmlast, 0);
    vmname(a, "nodes");
    vmname(b, "names");
    for (int i = 0; i < 1000; i++) {
        vmalloc(a, 48);
        vmalloc(b, 100);
    }
    puts("ready");
    fflush(stdout);
    pause();
    return 0;
}
END
cc -O1 -I"$VMALLOC_SOURCE/include" -o "$work/regions" "$work/regions.c" "$VMALLOC_BUILD/libvmalloc.a" -pthread || exit 77
strip "$work/regions"

# start COMMAND...: in the background, when it is ready; its number in $pid
start() {
    coproc "$@"
    pid=$COPROC_PID
    pids+=("$pid")
    read -r -t 10 <&"${COPROC[0]}"
}

start "$work/regions"
if ! "$command" top --once "$pid" >/dev/null 2>"$work/why" && grep -q "may not be looked into" "$work/why"; then
    echo "this system lets nobody look into processes: $(cat "$work/why")"
    exit 77
fi
expect 0 "regions ($pid): 3 regions
region *method *discipline *blocks *busy *free *extent *resident*
*nodes  *pool *heap *1000 *47K *" "$command" top "$pid"
expect 0 "*names *last *system *1000 *" "$command" top --once "$pid"
expect 0 "{\"pid\": $pid, \"program\": \"regions\", \"regions\": [[]{\"region\": \"0x*\"name\": \"nodes\", \"method\": \"pool\", \"discipline\": \"heap\", \"n_busy\": 1000, \"s_busy\": 48000,*}" \
    "$command" top --json "$pid"
[ "$(timeout 20 "$command" top --json --count=3 --interval=0.1 "$pid" | wc -l)" = 3 ] || {
    echo "FAILED: --count=3 gives three pictures"
    failed=1
}
kill "$pid"
wait "$pid" 2>/dev/null

start "$command" run --options=top perl -e '$| = 1; my @x = map { "x" x $_ } 1 .. 2000; print "ready\n"; sleep 60'
expect 0 "perl* ($pid): 1 region*
Vmheap *best *system *[1-9]*" "$command" top --once "$pid"
kill "$pid"
wait "$pid" 2>/dev/null

expect 126 "vmalloc: process $$ (*) does not run on vmalloc: start it by*" "$command" top $$
expect 126 "vmalloc: there is no process 99999999" "$command" top 99999999
expect 2 "*\"abc\" is not the number of a process" "$command" top abc
expect 2 "*one process, by its number*" "$command" top
expect 2 "*not above 0*" "$command" top --interval=0 $$
expect 0 "Usage: vmalloc top *--once*--json*" "$command" top --help

# At the end, by an option
"$command" run --options="stat=$work/end.%p.json" perl -e '1'
expect 0 "{\"pid\": *\"regions\": [[]*\"name\": \"Vmheap\", \"method\": \"best\", \"discipline\": \"system\", \"n_busy\": *]}" \
    cat "$work"/end.*.json
expect 0 "*stat=/nosuch/file: cannot be written*" "$command" run --options=stat=/nosuch/file true
exit $failed
