#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Real programs under Vmdebug, at each level: the output is that without, and not a word is said.
set -uo pipefail

build=${VMALLOC_BUILD:?}
library=$(realpath "$build/libvmalloc-malloc.so")
if [ ! -e "$library" ]; then
    echo "$library is not built"
    exit 77
fi
unset LD_PRELOAD VMALLOC_OPTIONS VMDEBUG
# shellcheck source=test/support/_foreign.sh
. "${VMALLOC_SOURCE:?}/test/support/_foreign.sh"
pass_by_foreign "$library"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$library" "$work/libvmalloc-malloc.so"
cd "$work" || exit 1
failed=0

# same NAME COMMAND...: with each level as without
same() {
    local name=$1 level
    shift
    command -v "$1" >/dev/null || return 0
    "$@" >expected 2>/dev/null
    for level in noleaks guard,noleaks guard=below,noleaks sample=20,noleaks; do
        env LD_PRELOAD="$work/libvmalloc-malloc.so" VMDEBUG="$level,warn=$work/said.%p" \
            timeout 60 "$@" >got 2>/dev/null
        if ! cmp -s expected got || [ -n "$(cat said.* 2>/dev/null)" ]; then
            echo "FAILED: $name under VMDEBUG=$level"
            cat said.* 2>/dev/null | head -20
            failed=1
        fi
        rm -f said.*
    done
}

cat >unit.c <<'END'
#include <stdio.h>
int main(void) { for (int i = 0; i < 10; i++) printf("%d\n", i * i); return 0; }
END
cat >script.sql <<'END'
create table a (i integer primary key, s text);
with recursive n (i) as (select 1 union all select i + 1 from n where i < 3000)
insert into a select i, printf('%d-%d', i, i * i % 7919) from n;
create index b on a (s);
select count(*), min(s), max(s) from a where s like '%-7%';
END

same python3 python3 -c '
import json, re, threading
d = {i: str(i) for i in range(2000)}
t = threading.Thread(target=lambda: [re.sub("1", "22", str(d)) for _ in range(3)])
t.start(); t.join()
print(len(json.loads(json.dumps(d))))'
same sqlite3 sqlite3 :memory: '.read script.sql'
same perl perl -e 'my %h; $h{$_ % 100} .= "x$_" for 1 .. 10000; print length join "", values %h'
same gcc gcc -O1 -S -o - unit.c
same git git -C "${VMALLOC_SOURCE}" log --stat -5
same bash bash -c 'for i in {1..30}; do a[i]=$(echo $i); done; echo ${#a[@]}'
same lua lua5.4 -e 't = {} for i = 1, 5000 do t[i] = {i, tostring(i)} end print(#t)'

redis() {
    redis-server --port 0 --unixsocket "$work/redis" --save '' --daemonize no >/dev/null 2>&1 &
    for _ in $(seq 1 200); do [ ! -S "$work/redis" ] || break; sleep 0.05; done
    seq 1 500 | awk '{ print "set key" $1, $1 * $1; print "rpush list" $1 % 10, $1 }' |
        env -u LD_PRELOAD redis-cli -s "$work/redis" | tail -1
    env -u LD_PRELOAD redis-cli -s "$work/redis" get key77
    env -u LD_PRELOAD redis-cli -s "$work/redis" shutdown nosave
    wait
}
if command -v redis-server >/dev/null && command -v redis-cli >/dev/null; then
    export -f redis
    export work
    same redis bash -c redis
fi
exit $failed
