#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What reports are like: names and lines, JSON that parses, the original's lines, one report for what is the
# same, limits, suppressions, a screen's length, no colour in files, leaks by kind.
set -uo pipefail

library=$VMALLOC_BUILD/libvmalloc-malloc.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
export VMALLOC_TOOL=$VMALLOC_BUILD/vmalloc

cat >"$work/prog.c" <<'PROG'
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
struct pair { struct pair *next; char *text; };
static struct pair *volatile kept;
static void *volatile middle, *volatile lost[5];
static inline __attribute__((always_inline)) void release(char *p) { free(p); }
static struct pair *make(struct pair *next)
{
    struct pair *p = malloc(sizeof *p);
    p->next = next;
    p->text = malloc(40);
    return p;
}
static __attribute__((noinline)) void lose(void) { struct pair *volatile p = make(make(NULL)); p = NULL; (void)p; }
static void twice(int times)
{
    for (int i = 0; i < times; i++) {
        char *volatile p = malloc(100);
        release(p);
        release(p);
    }
}
static volatile int zero; /* so that calls are not the last thing that their callers do */
static __attribute__((noinline)) int inner(void) { lost[0] = malloc(33), lost[0] = NULL; return zero; }
static __attribute__((noinline)) int middling(void) { return inner() + zero; }
static __attribute__((noinline, noclone, noipa)) int one(void) { return middling() + zero; }
static __attribute__((noinline, noclone, noipa)) int other(void) { return middling() + zero; }
int main(int argc, char **argv)
{
    char *volatile p = malloc(24);
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "past") == 0)
        p[24] = 0;
    release(p);
    if (strcmp(what, "twice") == 0)
        twice(5);
    if (strcmp(what, "aligned") == 0) {
        void *q = NULL;
        free(memalign(3, 8)), free(aligned_alloc(5, 8)); /* the errors: no powers of two */
        lost[0] = memalign(64, 8), lost[1] = aligned_alloc(64, 64), posix_memalign(&q, 64, 8), lost[2] = q;
        lost[3] = valloc(8), lost[4] = pvalloc(8);
    }
    for (int i = 0; i < 100 && strcmp(what, "ways") == 0; i++)
        (i % 2 ? one : other)();
    if (strcmp(what, "leak") == 0) {
        lose();
        kept = make(NULL);
        middle = (char *)malloc(200) + 100;
    }
    return 3;
}
PROG
cc -g -O1 -fno-builtin -w -o "$work/prog" "$work/prog.c" || exit 1

# run OPTIONS WHAT: $said, $code
run() {
    timeout 60 env VMDEBUG="$1" LD_PRELOAD="$library" "$work/prog" "$2" 2>"$work/said"
    code=$?
    said=$(cat "$work/said")
}

bad() {
    echo "$1"
    sed 's/^/    /' "$work/said"
    failed=1
}
says() { grep -q -- "$1" "$work/said" || bad "not said: $1"; }

run 1 past
[ $code = 3 ] || bad "the status is not the program's: $code"
says "^vmalloc([0-9]*): write past the end: 1 byte, 0 bytes behind a block of 24 bytes, found by free()$"
if "$VMALLOC_TOOL" --version 2>/dev/null | grep -q elfutils || grep -q 'prog\.c:' "$work/said"; then
    says "#0  release  .*prog\.c:7 (inlined)$"
    says "#1  main  .*prog\.c:"
fi
says "\]00!"
says "intact at operation 1, found broken at"
says "VMDEBUG=watch=alloc:1,"
[ "$(wc -l <"$work/said")" -le 25 ] || bad "longer than a screen"
! grep -q $'\033' "$work/said" || bad "colours in a file"

sed -n 's/^ *suppress with  //p' "$work/said" >"$work/rules"
run "suppress=$work/rules,exitcode=9" past
[ $code = 3 ] && [ -z "$said" ] || bad "its own line did not suppress the report: status $code"
run "exitcode=9" past
[ $code = 3 ] || bad "exitcode replaced a status that was not 0"
run "exitcode=9,force" past
[ $code = 9 ] || bad "exitcode with force: $code"
run "limit=0,exitcode=9,force" ""
[ $code = 3 ] && [ -z "$said" ] || bad "a correct program"

run 1 twice
[ "$(grep -c 'double free' "$work/said")" = 1 ] || bad "the same error is told more than once"
run "format=json" twice
python3 - "$work/said" <<'CHECK' || bad "JSON"
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert len(lines) == 1
e = lines[0]
assert e["kind"] == "double-free" and e["when"] == "free" and e["call"] == "free", e
assert e["block"]["size"] == 100 and e["block"]["state"] == "freed" and e["block"]["region"] == "malloc", e
assert e["stack"] and e["allocstack"] and e["freestack"], e
CHECK
run "format=original" twice
says "^free error:region=[0-9a-f]*:block=[0-9a-f]*:already freed:"
run "format=original" past
says "^corrupted data:region=[0-9a-f]*:block=[0-9a-f]*:bad byte at=24:"

run 1 leak
says "leak: 1 block of 16 bytes lost: nothing leads to it"
says "with 3 blocks of 96 bytes that only it leads to"
says "leaks: lost 1 block of 16 bytes, indirectly 3 of 96, perhaps 1 of 200, still reachable 2 of 56"
run leaks=perhaps,exitcode=9,force leak
[ $code = 9 ] || bad "leaks=perhaps: $code"
says "leak: 1 block of 200 bytes perhaps lost: only pointers into the middle lead to it"
! grep -q "never freed" "$work/said" || bad "leaks=perhaps tells what is reachable"
run leaks=all leak
says "perhaps lost: only pointers into the middle"
says "never freed, but something leads to"
run leaks=all aligned
for call in memalign aligned_alloc posix_memalign valloc pvalloc; do
    says "one is at [^ ]*, from $call\$\|it is at [^ ]*, from $call\$"
done
says ": memalign(): impossible alignment: 3\$"
says ": aligned_alloc(): impossible alignment: 5\$"
# Stacks that are deeper than asked for are told apart by their outermost entry, too.
run depth=3 ways
[ "$(grep -c 'leak: 50 blocks of 1650 bytes' "$work/said")" = 2 ] || bad "two ways to the same, of the same depth"
run noleaks leak
[ -z "$said" ] || bad "noleaks"
# Alone, without the command: functions that are exported have names, and where the others would come from is told once.
mkdir "$work/alone" && cp "$library" "$work/alone"
(
    unset VMALLOC_TOOL
    for what in past leak; do
        PATH=/usr/bin:/bin HOME=/ VMDEBUG=1 LD_PRELOAD=$work/alone/libvmalloc-malloc.so timeout 60 "$work/prog" $what \
            2>"$work/said"
        [ -x /usr/bin/vmalloc ] || [ "$(grep -c 'they come from the command vmalloc,' "$work/said")" = 1 ] || exit 1
    done
) || bad "where names come from"
# Under another name its frames are left out, too.
cp "$library" "$work/other.so"
library=$work/other.so run 1 past
[ "$(grep -c '#0  \(release\|.*prog\)' "$work/said")" -ge 1 ] || bad "renamed"
! grep -q 'other\.so' "$work/said" || bad "renamed, it shows its own frames"
strip "$work/prog"
run 1 leak
[ -z "$said" ] || bad "leaks of a program without symbols are told without being asked for"
run leaks leak
says "leak: 1 block of 16 bytes lost"
exit $failed
