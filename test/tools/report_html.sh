#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# vmalloc report --html: the page has all of the profile in it, nothing in names or arguments can get out of
# the data, and in a browser its parts do what they say.
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

# A name that would end the script, a quote and a byte that is no UTF-8.
cat >"$work/odd.c" <<'END'
#include <stdlib.h>
#include <string.h>
void *volatile kept[3000];
__attribute__((noinline)) void *odd(size_t n)
{
    void *p = malloc(n);
    memset(p, 1, n);
    return p;
}
__attribute__((noinline)) void leak(int i)
{
    kept[i] = malloc(1000);
}
__attribute__((noinline)) void churn(int i)
{
    void *volatile p = odd(16 + (size_t)i % 300);
    free(p);
}
int main(void)
{
    for (int i = 0; i < 3000; i++) {
        churn(i);
        if (i % 3 == 0)
            leak(i);
    }
    free(odd(1 << 20));
    return 0;
}
END
odd_name() {
    cc -O1 -fno-optimize-sibling-calls -c -o "$work/odd.o" "$work/odd.c" &&
        objcopy --redefine-sym odd=$'odd</script><script>alert(1)</script><!--"\'\xff' "$work/odd.o" &&
        cc -o "$work/odd" "$work/odd.o"
}
if ! odd_name; then
    echo "this compiler or linker does not have such names"
    exit 77
fi

# profile FILE PROGRAM ARGUMENTS...
profile() {
    local file=$1
    shift
    timeout 30 env LD_PRELOAD="$library" VMPROFILE="$file" "$@"
}

profile "$work/odd.vmprof" "$work/odd" '</script><script>alert(2)</script>' $'\xff"\\' || fail "the program"
"$command" report --html -o "$work/page.html" "$work/odd.vmprof" 2>"$work/why" || fail "report: $(cat "$work/why")"
[ -s "$work/why" ] && fail "on standard error: $(cat "$work/why")"
"$command" report --html "$work/odd.vmprof" | cmp -s - "$work/page.html" || fail "the page on standard output is another"

python3 - "$work/page.html" <<'END' || fail "the data in the page"
import json, sys
page = open(sys.argv[1], encoding="utf-8").read()  # all of it is UTF-8
element = '<script type="application/json" id="data">'
assert page.count(element) == 1
data = page.split(element)[1].split("</script>")[0]
assert "<" not in data
profiles = json.loads(data)
now, sites = profiles["now"], profiles["now"]["sites"]
assert "before" not in profiles
n = len(sites["node"])
for name, column in sites.items():
    assert len(column) == n, name
assert sum(sites["calls"]) == now["total"]["calls"] >= 4001
assert sum(sites["bytes"]) == now["total"]["bytes"]
assert sum(sites["live"]) == now["total"]["livebytes"] >= 1000 * 1000
assert sum(sum(s[1::2]) for s in sites["size"] if s) == now["total"]["calls"]
nodes = len(now["tree"]) // 2 + 1
assert all(now["tree"][2 * i] <= i for i in range(nodes - 1)), "a node before its parent"
assert all(0 < node < nodes for node in sites["node"])
frames = len(now["frames"]) // 5
assert all(now["tree"][2 * i + 1] < frames for i in range(nodes - 1))
names = {now["texts"][i] for i in now["frames"][::5]}
assert "churn" in names and "leak" in names, names
assert any(name.startswith("odd</script><script>alert(1)") for name in names), names
assert "</script><script>alert(2)</script>" in now["command"] and "\ufffd\"\\" in now["command"], now["command"]
assert len(now["times"]["time"]) == len(now["times"]["resident"]) > 0
assert now["segments"] and all(s["cells"] for s in now["segments"])
END

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -n "$browser" ]; then
    timeout 90 python3 "$VMALLOC_SOURCE/test/tools/_browser.py" "$browser" "$work/page.html" || fail "in the browser"
else
    echo "no chromium: the page was not opened"
fi
exit $failed
