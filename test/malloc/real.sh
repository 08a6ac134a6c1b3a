#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Real programs say the same on the system's malloc and on ours, and end the same way. Those that are not
# installed are passed over.
set -uo pipefail

library=$(realpath "${VMALLOC_BUILD:?}")/libvmalloc-malloc.so
if [ ! -e "$library" ]; then
    echo "$library is not built"
    exit 77
fi
unset LD_PRELOAD VMALLOC_OPTIONS VMETHOD
# shellcheck source=test/support/_foreign.sh
. "${VMALLOC_SOURCE:?}/test/support/_foreign.sh"
pass_by_foreign "$library"
export LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
ln -s "$library" library.so # LD_PRELOAD cannot name a path with a space
library=$work/library.so
failed=0

# same NAME COMMAND...: standard output, standard error and exit status, without and with the library
same() {
    local name=$1 system ours
    shift
    command -v "$1" >/dev/null || return 0
    "$@" </dev/null >system.out 2>system.err
    system=$?
    LD_PRELOAD=$library "$@" </dev/null >ours.out 2>ours.err
    ours=$?
    if [ $system = $ours ] && cmp -s system.out ours.out && cmp -s system.err ours.err; then
        echo "$name: the same ($(stat -c %s ours.out) bytes)"
    else
        echo "FAILED: $name: status $system and $ours"
        diff system.out ours.out | head -5
        diff system.err ours.err | head -5
        failed=1
    fi
}

cat >script.py <<'END'
import collections, json, re, threading, zlib
words = [str(i * i % 7919) for i in range(60000)]
count = collections.Counter(words)
text = json.dumps(sorted(count.items()))
def work(out, k):
    out[k] = zlib.crc32(zlib.compress((text * 3).encode()))
out = {}
threads = [threading.Thread(target=work, args=(out, k)) for k in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print(len(text), sorted(out.items()), len(re.findall("7+", text)), sum(map(len, json.loads(text))))
END
cat >script.pl <<'END'
my %h; my @a;
for my $i (1 .. 60000) { my $k = ($i * 7919) % 10007; $h{"key$k"} .= "$i,"; push @a, [$i, "x" x ($i % 50)] }
print join("\n", map { "$_ " . length $h{$_} } (sort keys %h)[0 .. 99]), "\n", scalar(@a), "\n";
my $s = join "", map { chr(65 + $_ % 26) } 1 .. 100000; $s =~ s/([AEIOU])/<$1>/g; print length $s, "\n";
END
cat >script.lua <<'END'
local t = {}
for i = 1, 100000 do t[#t + 1] = {i, tostring(i * i % 7919)} end
table.sort(t, function(a, b) return a[2] == b[2] and a[1] < b[1] or a[2] < b[2] end)
local s = {}
for i = 1, #t, 1000 do s[#s + 1] = t[i][2] end
print(#t, table.concat(s, ","))
END
cat >script.sql <<'END'
create table a (i integer primary key, s text);
with recursive n (i) as (select 1 union all select i + 1 from n where i < 50000)
insert into a select i, printf('%d-%d', i, i * i % 7919) from n;
create index b on a (s);
select count(*), min(s), max(s) from a where s like '%-7%';
select s from a x join (select max(i) i from a group by i % 97) using (i) order by s;
END
cat >unit.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define F(n) int f##n(int x) { char b[20]; snprintf(b, sizeof b, "%d", x); return (int)strlen(b) * n; }
#define G(n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7) F(n##8) F(n##9)
G(1) G(2) G(3) G(4) G(5) G(6) G(7) G(8) G(9)
int main(void) { return f10(3) + f99(4); }
END
cat >script.sh <<'END'
declare -A a
for i in {1..3000}; do a[k$((i * 7919 % 1009))]+="$i "; done
for k in "${!a[@]}"; do echo "$k ${#a[$k]}"; done | sort | head -50
f() { local x=$1; [ "$x" -le 1 ] && echo 1 || echo $((x * $(f $((x - 1))))); }
f 12
END
seq 1 200000 | awk '{ print ($1 * 7919) % 1000003, $1 }' >numbers
mkdir tree && (cd tree && for i in $(seq 1 100); do head -c $((i * 300)) ../numbers >"file$i"; done)

same "python" python3 script.py
same "python's library" python3 -c 'import asyncio, decimal, sqlite3, ssl, xml.dom.minidom, ctypes
print(decimal.Decimal(2) ** 500, len(xml.dom.minidom.parseString("<a>" + "<b c=\"d\"/>" * 5000 + "</a>").toxml()))
print(sqlite3.connect(":memory:").execute("select 1 + 1").fetchall())
async def f(n): await asyncio.sleep(0); return n
async def g(): return sum(await asyncio.gather(*map(f, range(2000))))
print(asyncio.run(g()))'
same "perl" perl script.pl
same "lua" lua5.4 script.lua
same "sqlite" sqlite3 :memory: '.read script.sql'
same "bash" bash script.sh
same "sort" sort -k1,1n --parallel=4 -S 1M numbers
same "awk" awk '{ s[$1 % 1000] = s[$1 % 1000] $2 } END { for (k = 0; k < 1000; k++) print k, length(s[k]) }' numbers
same "sed and grep" sh -c 'sed -E "s/([0-9])([0-9])/\2\1/g" numbers | grep -cE "1(2|3)+4"'
same "tar and gzip" sh -c 'tar --sort=name --mtime=@0 -cf - tree | gzip -9n | gunzip | md5sum'
same "xz with threads" sh -c 'xz -T2 --block-size=200000 -c numbers | xz -dc | md5sum'
same "gcc" sh -c 'gcc -O2 -S -o - unit.c | md5sum'
same "g++" sh -c 'echo "#include <map>
#include <string>
int main() { std::map<std::string, int> m; m[\"a\"] = 1; return m.size(); }" >u.cpp && g++ -O1 -S -o - u.cpp | md5sum'
same "clang" sh -c 'clang -O2 -S -o - unit.c | md5sum'
same "link and run" sh -c 'gcc unit.c -o unit && ./unit; echo $?'
same "git" git -C "${VMALLOC_SOURCE:-.}" log --stat -20
same "find" sh -c 'find tree -size +10 -name "*[13579]" | sort'
same "make" sh -c 'printf "all: a b c\n%%:\n\t@echo \$@\n" >Makefile && make -j4 -s -Otarget | sort'
same "openssl" sh -c 'openssl dgst -sha256 numbers'
same "iconv" iconv -f UTF-8 -t UTF-16 numbers
same "a program that fails" python3 -c 'import os; os.abort()'
same "out of memory" python3 -c '
try: bytearray(1 << 60)
except MemoryError: print("no memory")'

redis() {
    redis-server --port 0 --unixsocket "$work/redis" --save '' --daemonize no --loglevel warning >redis.log 2>&1 &
    local server=$! cli=(redis-cli -s "$work/redis")
    for _ in $(seq 1 100); do [ ! -S "$work/redis" ] || break; sleep 0.05; done
    seq 1 5000 | awk '{ print "set key" $1, $1 * $1; print "rpush list" $1 % 10, $1; print "incr counter" }' |
        "${cli[@]}" >/dev/null
    "${cli[@]}" get key77
    "${cli[@]}" lrange list3 0 20
    "${cli[@]}" dbsize
    "${cli[@]}" --no-raw eval 'local t = {} for i = 1, 1000 do t[i] = i end return #t' 0
    "${cli[@]}" flushall
    "${cli[@]}" shutdown nosave
    wait $server
}
if command -v redis-server >/dev/null && command -v redis-cli >/dev/null; then
    export -f redis
    export work
    same "redis" bash -c redis
fi
exit $failed
