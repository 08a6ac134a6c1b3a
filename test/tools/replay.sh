#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# vmalloc run --trace and vmalloc replay: a known program gives the known calls in both forms, on threads and in
# children; a replay repeats them on each allocator with the contents kept; damaged traces are told.
set -uo pipefail

command=${VMALLOC_BUILD:?}/vmalloc
library=$(realpath "$VMALLOC_BUILD/libvmalloc-malloc.so")
if [ ! -x "$command" ] || [ ! -e "$library" ] || ! command -v cc >/dev/null; then
    echo "$command or $library is not built, or there is no compiler"
    exit 77
fi
unset LD_PRELOAD VMALLOC_OPTIONS VMALLOC_LIB VMTRACE
# shellcheck source=test/support/_foreign.sh
. "${VMALLOC_SOURCE:?}/test/support/_foreign.sh"
pass_by_foreign "$library"
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
failed=0
mkdir "$work/build" # a path without spaces
cp "$command" "$library" "$work/build"
command=$work/build/vmalloc
ln -s "$work/build/${library##*/}" "$work/build/libvmalloc-malloc.so"
cd "$work" || exit 1

fail() {
    echo "FAILED: $*"
    failed=1
}

# expect STATUS PATTERN COMMAND...
expect() {
    local status=$1 pattern=$2 output got
    shift 2
    output=$(timeout 60 "$@" 2>&1)
    got=$?
    # shellcheck disable=SC2053
    if [ "$got" != "$status" ] || [[ $output != $pattern ]]; then
        printf 'FAILED: %s\n  status %s, expected %s\n  output "%s"\n  expected "%s"\n' \
            "$*" "$got" "$status" "$output" "$pattern"
        failed=1
    fi
}

cat >program.c <<'END'
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *thread(void *arg)
{
    for (int i = 0; i < 100; i++)
        free(malloc(54321));
    return arg;
}

int main(int argc, char **argv)
{
    void *volatile p = malloc(12345), *volatile q = NULL;
    pthread_t id[2];
    p = realloc(p, 123456);
    free(p);
    p = calloc(3, 7777);
    if (posix_memalign((void **)&q, 512, 1111) != 0)
        return 1;
    free(q);
    free(p);
    if (argc > 1 && strcmp(argv[1], "threads") == 0)
        for (int i = 0; i < 2; i++)
            if (pthread_create(&id[i], NULL, thread, NULL) != 0)
                return 1;
    if (argc > 1 && strcmp(argv[1], "threads") == 0)
        for (int i = 0; i < 2; i++)
            pthread_join(id[i], NULL);
    if (argc > 1 && strcmp(argv[1], "fork") == 0 && fork() == 0) {
        free(malloc(777777));
        _exit(0);
    }
    wait(NULL);
    if (argc > 1 && strcmp(argv[1], "abort") == 0)
        abort();
    if (argc > 1 && strcmp(argv[1], "_exit") == 0)
        _exit(0);
    return 0;
}
END
cc -fno-builtin -O1 -o program program.c -pthread || exit 77

# The calls of the program, without those of libc: size and alignment of each.
own() { "$command" replay --print "$1" | awk -F: '$3 ~ /^(12345|123456|23331|1111|54321|777777)$/ { print ($1 != "0") ($2 != "0"), $3, $4 }'; }
known='01 12345 0
11 123456 0
01 23331 0
01 1111 512'

for end in normal abort _exit; do
    for form in txt vmt; do
        (trap : ABRT; "$command" run --trace=$end.$form ./program $end) >/dev/null 2>&1
        [ "$(own $end.$form)" = "$known" ] || fail "$end, $form: $(own $end.$form)"
    done
    cmp -s <("$command" replay --print $end.txt | cut -d: -f3,4,6) \
        <("$command" replay --print $end.vmt | cut -d: -f3,4,6) || fail "$end: the forms differ"
done
head -c 4 normal.vmt | grep -q VMT || fail "a file .vmt is in the binary form"
VMALLOC_OPTIONS=format=text "$command" run --trace=other.vmt ./program
[[ $(head -c 2 other.vmt) == 0: ]] || fail "format=text is not heeded"

"$command" run --trace=t.vmt ./program threads
[ "$(own t.vmt | grep -c '^01 54321')" = 200 ] || fail "200 blocks of two threads"
"$command" run --trace=f.vmt ./program fork
child=$(ls f.vmt.*)
own "$child" | grep -q '^01 777777' || fail "the child's call is in its own file"
own f.vmt | grep -q 777777 && fail "the child's call is in its parent's file"
VMTRACE=p%p.vmt LD_PRELOAD=$library ./program
ls p[0-9]*.vmt >/dev/null || fail "%p is not the process number"

# A replay makes as many calls as there are lines, on every allocator, and blocks keep what they hold.
lines=$("$command" replay --print t.vmt | wc -l)
expect 0 "{\"trace\": \"t.vmt\", \"calls\": $lines, \"threads\": [1-3],*\"libc\", \"ns\": *\"vmalloc\", \"ns\": *\"best on system\", \"ns\": *" \
    "$command" replay --json --reps=1 t.vmt
expect 0 "*allocator*corrupt*libc*0        0*best on heap*0        0*last on heap*0        0*" \
    "$command" replay --check --reps=2 --so=libc --method=best --method=last --discipline=heap t.vmt
expect 0 "*calls on 1 thread*" "$command" replay --threads=1 --reps=1 --so=libc t.vmt
expect 0 "*libvmalloc-malloc.so*" "$command" replay --reps=1 --so="$library" normal.txt
if command -v python3 >/dev/null; then
    "$command" replay --json --reps=1 --check t.vmt | python3 -c 'import json, sys; json.load(sys.stdin)' ||
        fail "the JSON is none"
fi
# pool has one size: most calls fail, and that is told
expect 0 "*pool on system* [1-9]*" "$command" replay --reps=1 --method=pool t.vmt

# Damage
head -c 100000 normal.vmt >cut.vmt
expect 0 "*cut.vmt: the file ends before chunk*; what could be read: * calls*libc*" \
    "$command" replay --reps=1 --so=libc cut.vmt
head -c 100 normal.txt >cut.txt
expect 0 "*cut.txt: line * is cut off; what could be read: * calls*" "$command" replay --reps=1 --so=libc cut.txt
expect 126 "vmalloc: /etc/passwd: line 1 is not*is it a trace?*" "$command" replay /etc/passwd
expect 126 "vmalloc: nosuch: No such file*" "$command" replay nosuch
expect 126 "*the trace is empty*" "$command" replay /dev/null
# Nothing is run that would take all memory of the machine
printf '0:7f0000001000:4000000000000:0:7f0000000000:b:\n' >huge.txt
expect 126 "*huge.txt: the trace asks for * GiB at a time*" "$command" replay huge.txt

# The command line
expect 0 "Usage: vmalloc replay *--method*" "$command" replay --help
expect 2 "*no trace named*" "$command" replay
expect 2 "*no method \"quick\": best, last, pool*" "$command" replay --method=quick t.vmt
expect 2 "*no discipline \"tape\": system, heap, huge, guard*" "$command" replay --discipline=tape t.vmt
expect 2 "*--reps=0*" "$command" replay --reps=0 t.vmt
expect 2 "*--threads=7*" "$command" replay --threads=7 t.vmt
expect 126 "*--so=nosuch.so: No such file*" "$command" replay --so=nosuch.so t.vmt
expect 1 "*program.c*cannot be loaded*" "$command" replay --reps=1 --so=program.c t.vmt
expect 126 "*a comma or a space*" "$command" run "--trace=a,b" ./program
exit $failed
