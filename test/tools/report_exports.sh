#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# vmalloc report --pprof, --folded, --speedscope, --massif, --heap-v2: the same figures and stacks as its JSON;
# programs that read them do, where they are there. --diff as text and as a page. Wrong uses tell what to do.
set -uo pipefail

command=${VMALLOC_BUILD:?}/vmalloc
library=$(realpath "$VMALLOC_BUILD/libvmalloc-malloc.so")
if [ ! -x "$command" ] || [ ! -e "$library" ] || ! command -v cc >/dev/null || ! command -v python3 >/dev/null; then
    echo "$command or $library is not built, or there is no compiler or no python3"
    exit 77
fi
unset LD_PRELOAD VMALLOC_OPTIONS VMALLOC_LIB
# shellcheck source=test/support/_foreign.sh
. "${VMALLOC_SOURCE:?}/test/support/_foreign.sh"
pass_by_foreign "$library"
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
    echo "FAILED: $*"
    failed=1
}

cat >"$work/program.c" <<'END'
#include <stdlib.h>
#include <string.h>
void *volatile kept[2000];
__attribute__((noinline)) void keep(int i)
{
    kept[i] = malloc(KEPT);
}
__attribute__((noinline)) void drop(int i)
{
    void *volatile p = calloc(1, 100 + (size_t)i % 50);
    free(p);
}
#ifdef MORE
__attribute__((noinline)) void extra(void)
{
    kept[1999] = malloc(300000);
}
#endif
int main(void)
{
    for (int i = 0; i < 1000; i++) {
        keep(i);
        drop(i);
    }
#ifdef MORE
    extra();
#endif
    free(malloc(500000));
    return 0;
}
END
# profile NAME FLAGS...: $work/NAME.vmprof of the program so compiled
profile() {
    local name=$1
    shift
    cc -g -O1 -fno-optimize-sibling-calls "$@" -o "$work/$name" "$work/program.c" || exit 77
    timeout 30 env LD_PRELOAD="$library" VMPROFILE="$work/$name.vmprof" "$work/$name" || fail "the program"
}
profile before -DKEPT=500
profile now -DKEPT=400 -DMORE

python3 "$VMALLOC_SOURCE/test/tools/_exports.py" "$command" "$work/before.vmprof" "main;keep" "main;drop" ||
    fail "the forms for others"
timeout 30 env LD_PRELOAD="$library" VMPROFILE="$work/sampled.vmprof,sample=10000" "$work/before" || fail "sampled"
python3 "$VMALLOC_SOURCE/test/tools/_exports.py" "$command" "$work/sampled.vmprof" || fail "the forms, sampled"

# Readers that are there
if command -v ms_print >/dev/null; then
    "$command" report --massif -o "$work/massif" "$work/before.vmprof"
    ms_print "$work/massif" | grep -q '^->.*keep (program.c:6)' || fail "ms_print"
fi
if command -v jeprof >/dev/null && command -v objdump >/dev/null; then
    "$command" report --heap-v2 -o "$work/heap" "$work/before.vmprof"
    jeprof --text --show_bytes --inuse_space "$work/before" "$work/heap" 2>/dev/null | grep -q ' 500000 .* keep' ||
        fail "jeprof"
fi
if command -v go >/dev/null; then
    "$command" report --pprof -o "$work/pprof.pb.gz" "$work/before.vmprof"
    timeout 60 env HOME="$work" go tool pprof -top -sample_index=inuse_space -unit=B "$work/pprof.pb.gz" 2>/dev/null |
        grep -q '500000B .* keep$' || fail "go tool pprof"
fi

# Differences
"$command" report --diff --top=3 "$work/before.vmprof" "$work/now.vmprof" >"$work/diff" || fail "--diff"
python3 - "$work/diff" <<'END' || { fail "--diff"; cat "$work/diff"; }
import re, sys
text = open(sys.argv[1]).read()
live = text.split("What lived at the end: what grew\n")[1]
grew, shrank = live.split("\nWhat lived at the end: what shrank\n")
assert re.match(r" +\+293 KiB +\+1 +new +extra  program.c:16\n +main  program.c:26\n", grew), grew
assert re.match(r" +-97.7 KiB +0 +keep  program.c:6\n", shrank), shrank
assert re.search(r"\n  not freed +\S+ KiB  -> +\S+ KiB +\+195 KiB ", text)
END
"$command" report --diff --by=calls "$work/before.vmprof" "$work/before.vmprof" | grep -c '^  nothing$' |
    grep -q '^2$' || fail "no difference from itself"
"$command" report --diff --html -o "$work/diff.html" "$work/before.vmprof" "$work/now.vmprof" || fail "--diff --html"
grep -q '^{"now":{"format":1,' <<<"$(sed -n 's/.*id="data">//p' "$work/diff.html")" || fail "now in the page"
grep -q '^,"before":{"format":1,' "$work/diff.html" || fail "before in the page"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -n "$browser" ]; then
    timeout 60 python3 "$VMALLOC_SOURCE/test/tools/_browser.py" "$browser" "$work/diff.html" "$work/diff.png" 1400 900 dark \
        "if (![...document.querySelectorAll('#sites .site')].some(r => r.textContent.includes('extra') && r.textContent.includes('+293'))) throw 'extra is not in the table'" ||
        fail "the page of differences"
fi

# expect STATUS PATTERN ARGUMENTS...
expect() {
    local status=$1 pattern=$2 output got
    shift 2
    output=$(timeout 20 "$command" report "$@" 2>&1)
    got=$?
    # shellcheck disable=SC2053
    [[ $got = "$status" && $output == $pattern ]] || fail "report $*: status $got, $output"
}
expect 2 "*--diff goes with --text or --html, not with --pprof" --diff --pprof "$work/now.vmprof" "$work/now.vmprof"
expect 2 "*two profiles are wanted, that of before first" --diff "$work/now.vmprof"
expect 126 "*nosuch*No such file*" --diff "$work/now.vmprof" "$work/nosuch"
expect 126 "*/nosuch/page: No such file*" --html -o /nosuch/page "$work/now.vmprof"
expect 0 "*--speedscope*--massif*--heap-v2*--diff*" --help
if command -v script >/dev/null; then
    output=$(timeout 20 script -qec "'$command' report --html '$work/now.vmprof'" /dev/null </dev/null)
    [[ $output == *"not for a terminal: "*"--html -o report.html "* ]] || fail "a page on a terminal: ${output:0:200}"
    [ "$(stat -c %s "$work/now.vmprof")" -gt 0 ] || fail "the profile is gone"
fi
exit $failed
