#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# vmalloc run --profile and vmalloc report: programs whose figures are known, ended in all ways.
set -euo pipefail

build=${VMALLOC_BUILD:?}
vmalloc=$build/vmalloc
lib=$build/libvmalloc-malloc.so
cc=${CC:-cc}
command -v "$cc" >/dev/null || exit 77
command -v python3 >/dev/null || exit 77
[[ $build != *[' ,:']* ]] || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset VMALLOC_OPTIONS VMPROFILE LD_PRELOAD
failed=0

fail() {
    echo "FAILED: $*"
    failed=1
}

cat >prog.c <<'PROG'
#define _DEFAULT_SOURCE 1
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile sink;
static __attribute__((noinline)) void leak(void) { sink = malloc(1000); }
static __attribute__((noinline)) void churn(void) { sink = malloc(50); free(sink); }
static __attribute__((noinline)) void waste(void) { sink = malloc(3 << 20); free(sink); }
static __attribute__((noinline)) void grow(void)
{
    char *p = malloc(100);
    sink = p = realloc(p, 1000);
    free(p);
}

static void *thread(void *arg)
{
    for (int i = 0; i < 500; i++)
        leak();
    return arg;
}

static void work(void)
{
    for (int i = 0; i < 100; i++)
        leak();
    for (int i = 0; i < 2000; i++)
        churn();
    waste();
    grow();
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    pthread_t t;
    work();
    if (!strcmp(how, "threads")) {
        pthread_create(&t, NULL, thread, NULL);
        thread(NULL);
        pthread_join(t, NULL);
    }
    if (!strcmp(how, "_exit"))
        _exit(3);
    if (!strcmp(how, "kill"))
        kill(getpid(), SIGKILL);
    if (!strcmp(how, "abort"))
        abort();
    if (!strcmp(how, "exec"))
        execl(argv[0], argv[0], (char *)NULL);
    if (!strcmp(how, "fork")) {
        if (fork() == 0) {
            work();
            exit(0);
        }
        wait(NULL);
    }
    if (!strcmp(how, "signal"))
        raise(SIGUSR2);
    return 0;
}
PROG
"$cc" -g -O1 -fno-builtin -pthread prog.c -o prog

# figure FILE EXPRESSION: of the JSON form, with f(name, key): the sum of key over sites whose stack has name
figure() {
    [ -e "$1.json" ] || "$vmalloc" report --json "$1" >"$1.json"
    python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
names = [f["function"] for f in d["frames"]]
def f(name, key):
    return sum(s[key] for s in d["sites"] if any(names[i] == name for i in s["stack"]))
def all(key):
    return sum(s[key] for s in d["sites"])
print(eval("(" + sys.argv[2] + ")"))' "$1.json" "$2"
}

# is FILE EXPRESSION VALUE
is() {
    local got
    got=$(figure "$1" "$2")
    [ "$got" = "$3" ] || fail "$1: $2 is $got and not $3"
}

known() {
    is "$1" '[f("leak","calls"),f("leak","live"),f("leak","livebytes")], [f("churn","calls"),f("churn","short"),
        f("churn","live")], [f("waste","highbytes"),f("leak","highbytes"),f("churn","highbytes")],
        [f("grow","calls"),f("grow","resizes"),f("grow","growth")]' \
        '([100, 100, 100000], [2000, 2000, 0], [3145728, 100000, 0], [2, 1, 900])'
    is "$1" 'all("bytes")==d["totals"]["bytes"],all("calls")==d["totals"]["calls"],
        all("highbytes")==d["process"]["peak"]' '(True, True, True)'
}

# ---- ways to end ----
"$vmalloc" run --profile=exit.p ./prog 2>said || fail "exit status $?"
grep -q "vmalloc report $work/exit.p\$" said || fail "the file is not named: $(cat said)"
known exit.p
is exit.p 'd["process"]["whole"]' True
for how in _exit kill abort; do
    status=0
    "$vmalloc" run --profile=$how.p ./prog $how 2>said || status=$?
    case $how in
        _exit) [ $status = 3 ] || fail "_exit: status $status" ;;
        kill) [ $status = 137 ] || fail "kill: status $status" ;;
        abort) [ $status = 134 ] || fail "abort: status $status" ;;
    esac
    known $how.p
    is $how.p 'd["process"]["whole"]' False
done

# ---- exec, fork, threads, signals ----
"$vmalloc" run --profile=exec.p ./prog exec 2>/dev/null
known exec.p # of the second program: the file is the same process's
"$vmalloc" run --profile=fork.%p ./prog fork 2>said
[ "$(ls fork.* | wc -l)" = 2 ] || fail "fork: $(ls fork.*)"
for f in $(ls fork.*); do
    known "$f"
done
grep -q "have theirs" said || fail "fork: children are not named: $(cat said)"
touch -d '1 hour ago' old.4711
"$vmalloc" run --profile=old.%p ./prog 2>said
grep -q "have theirs" said && fail "files of another day count as this run's: $(cat said)"
"$vmalloc" run --profile=plain.p ./prog fork 2>/dev/null
[ "$(ls plain.p* | wc -l)" = 2 ] || fail "fork without %p: $(ls plain.p*)"
"$vmalloc" run --profile=inherit.%p,inherit ./prog fork 2>/dev/null
all=$(for f in $(ls inherit.*); do figure "$f" 'f("leak","calls")'; done | sort -n | tr '\n' ' ')
[ "$all" = '100 200 ' ] || fail "inherit: $all"
"$vmalloc" run --profile=threads.p ./prog threads 2>/dev/null
is threads.p 'f("leak","calls"),f("leak","livebytes"),f("thread","calls")' '(1100, 1100000, 1000)'
"$vmalloc" run --profile=signal.p,signal=usr2 ./prog signal 2>/dev/null
known signal.p.1
known signal.p
VMPROFILE=variable.p LD_PRELOAD=$lib ./prog
known variable.p

# ---- samples ----
"$vmalloc" run --profile=sample.p,sample=1k,seed=1 ./prog 2>/dev/null
is sample.p 'd["process"]["period"]' 1000
is sample.p '80000 < f("leak","livebytes") < 120000' True
is sample.p '1500 < f("churn","calls") < 2500' True
is sample.p 'f("waste","calls")' 1
"$vmalloc" run --profile=resizes.p,sample=1 ./prog 2>/dev/null # each block is a sample
"$vmalloc" report resizes.p >text
grep -q 'resizes *at least ' text || fail "few of the resizes, told as all: $(cat text)"
"$vmalloc" report --by=resizes resizes.p >text 2>&1 && fail "a list of few of the resizes"
grep -q 'resizes.p has samples.*,full' text || fail "it does not say how: $(cat text)"

# ---- the report ----
"$vmalloc" report exit.p >text
grep -q 'waste  prog.c:12' text || fail "no source line: $(cat text)"
grep -qP '\x1b' text && fail "colours in a file"
"$vmalloc" report --by=live --top=1 exit.p | grep -q 'leak' || fail "--by=live"
[ "$("$vmalloc" report --by=calls --top=1 exit.p | grep -c '%   *[0-9 ]*   *churn')" = 1 ] || fail "--by=calls"
"$vmalloc" report - <exit.p | cmp - text || fail "standard input"
"$vmalloc" report -o out exit.p && cmp out text || fail "-o"
refuses() {
    local status=0 wanted=$1
    shift
    "$vmalloc" report "$@" >/dev/null 2>said || status=$?
    [ $status = "$wanted" ] || fail "report $*: status $status"
    [ -s said ] || fail "report $*: not a word"
}
refuses 2
refuses 2 --by=nothing exit.p
refuses 2 --top=0 exit.p
refuses 126 prog.c
refuses 126 nowhere
refuses 126 -o /nowhere/x exit.p
head -c 100000 exit.p >cut.p
"$vmalloc" report cut.p >text 2>said
grep -q truncated said || fail "truncated: $(cat said)"
grep -q '! truncated' text || fail "the report does not say that it is truncated"

# ---- a program's own malloc() gives way to those who call it, and small steps of growth are told ----
cat >own.c <<'PROG'
#include <stdlib.h>
static void *volatile sink;
static __attribute__((noinline)) void *low_alloc(size_t n) { void *p = malloc(n); sink = p; return p; }
static __attribute__((noinline)) void *my_alloc(size_t n) { void *p = low_alloc(n); sink = p; return p; }
static __attribute__((noinline)) void first(void) { sink = my_alloc(6000); }
static __attribute__((noinline)) void second(void) { sink = my_alloc(3000); }
static __attribute__((noinline)) void third(void) { sink = my_alloc(1000); }
static __attribute__((noinline)) void append(void)
{
    char *p = NULL;
    for (int i = 1; i <= 2000; i++)
        sink = p = realloc(p, i);
    free(p);
}
int main(void)
{
    first();
    second();
    third();
    append();
    return 0;
}
PROG
"$cc" -g -O1 -fno-optimize-sibling-calls -o own own.c
"$vmalloc" run --profile=own.p ./own 2>said || fail "own.c: $(cat said)"
"$vmalloc" report --by=live own.p | grep '%.*through' | awk '{ print $1, $5, $8, $9 }' >text
printf '60.0%% first my_alloc, low_alloc\n30.0%% second my_alloc, low_alloc\n10.0%% third my_alloc, low_alloc\n' | cmp -s - text ||
    fail "own malloc(): $(cat text; "$vmalloc" report --by=live own.p)"
"$vmalloc" report --by=live --inner own.p >text
grep -q '100.0% .* low_alloc' text || fail "--inner: low_alloc does not stand: $(cat text)"
"$vmalloc" report own.p >text
grep -A1 '^Resizes: 1 999' text >said || true
grep -q 'append .*larger by 1 B each' said || fail "small steps: $(cat text)"

# ---- who started others is told where theirs are ----
VMPROFILE=$work/outer.p LD_PRELOAD=$lib sh -c './own two; true' || fail "a script"
"$vmalloc" report outer.p >text
grep -q '^  others *outer.p.[0-9]* is that of ./own' text || fail "others are not named: $(ls outer.p*; cat text)"
"$vmalloc" report own.p >text
grep -q '^  others' text && fail "others where there are none"
VMPROFILE=$work/outer.p LD_PRELOAD=$lib ./own
"$vmalloc" report outer.p >text
grep -q '^  others' text && fail "others of an earlier run: $(cat text)"

# ---- the original's report ----
VMPROFILE='&2' LD_PRELOAD=$lib ./prog 2>said
grep -q '^ALLOCATION USAGE SUMMARY:n_alloc=2[0-9]*:n_free=[0-9]*:s_alloc=[0-9]*:s_free=[0-9]*:$' said ||
    fail "original: $(cat said)"
VMALLOC_OPTIONS=method=profile LD_PRELOAD=$lib ./prog 2>said
grep -q '^file=<>:n_alloc=' said || fail "method=profile: $(cat said)"
"$vmalloc" run --profile=/nowhere/p ./prog 2>said || fail "a file that cannot be written stops the program"
grep -q 'cannot be written' said || fail "nothing is told of a file that cannot be written: $(cat said)"
exit $failed
