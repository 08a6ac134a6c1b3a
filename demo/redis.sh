#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# redis.sh REQUESTS PREFIX...: start redis-server with the words PREFIX before it, load it with a fixed set of
# keys and then with redis-benchmark, print digests of the fixed set, and stop it. No port is opened.
set -euo pipefail

requests=$1
shift
folder=$(mktemp -d)
socket=$folder/socket
server=
stop() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$folder"
}
trap stop EXIT
cli() { redis-cli -s "$socket" "$@"; }

"$@" redis-server --port 0 --unixsocket "$socket" --save '' --appendonly no --loglevel warning \
    --logfile "$folder/log" --dir "$folder" &
server=$!
for _ in {1..200}; do
    [ "$(cli ping 2>/dev/null || true)" != PONG ] || break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.02
done

cat >"$folder/fill.lua" <<'LUA'
local count = tonumber(ARGV[1])
for i = 1, count do
  redis.call('SET', 'own:' .. i, string.rep('v' .. i, 1 + i % 40))
  redis.call('HSET', 'own:hash:' .. i % 997, 'field' .. i, i)
  redis.call('ZADD', 'own:order', i * 7919 % count, 'member' .. i)
  redis.call('RPUSH', 'own:list:' .. i % 101, 'item' .. i)
  if i % 3 == 0 then redis.call('APPEND', 'own:' .. i - 1, string.rep('more', i % 50)) end
  if i % 5 == 0 then redis.call('DEL', 'own:' .. i - 4) end
end
return count
LUA
cat >"$folder/check.lua" <<'LUA'
local count, digest = tonumber(ARGV[1]), ''
for i = 1, count, 64 do
  local keys = {}
  for j = i, i + 63 do keys[#keys + 1] = 'own:' .. j end
  local values = redis.call('MGET', unpack(keys))
  for j = 1, #values do values[j] = values[j] or '-' end
  digest = redis.sha1hex(digest .. table.concat(values))
end
local fields, items = 0, 0
for i = 0, 996 do fields = fields + redis.call('HLEN', 'own:hash:' .. i) end
for i = 0, 100 do items = items + redis.call('LLEN', 'own:list:' .. i) end
local top = table.concat(redis.call('ZRANGE', 'own:order', 0, 9), ' ')
return {digest, fields, items, top}
LUA
cli --eval "$folder/fill.lua" , 50000
redis-benchmark -s "$socket" -q -P 16 -c 20 -n "$requests" -r 100000 -d 100 \
    -t set,get,incr,lpush,lpop,sadd,hset,zpopmin,mset >/dev/null
cli --eval "$folder/check.lua" , 50000
cli shutdown nosave
wait "$server"
server=
