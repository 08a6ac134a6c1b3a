#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The example of a key-value store, from the shell: put, get, list, count; killed in the middle of filling, it has
# a whole number of pairs, and goes on.
set -euo pipefail

store=$VMALLOC_BUILD/examples/08-key-value
[ -x "$store" ] || { echo "$store is not there"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
image=$work/image

fail() {
    echo "$1"
    exit 1
}

timeout 20 "$store" "$image" put color blue
timeout 20 "$store" "$image" put size 10
timeout 20 "$store" "$image" put color red
[ "$(timeout 20 "$store" "$image" get color)" = red ] || fail "get color"
if timeout 20 "$store" "$image" get shape; then fail "get of what is not there"; fi
[ "$(timeout 20 "$store" "$image" list)" = $'color=red\nsize=10' ] || fail "list"
[ "$(timeout 20 "$store" "$image" count)" = 2 ] || fail "count"

before=2
for round in 1 2 3; do
    "$store" "$image" fill >/dev/null & pid=$!
    sleep 0.3
    kill -9 $pid
    wait $pid 2>/dev/null || true
    timeout 20 "$store" "$image" list >"$work/list"
    count=$(timeout 20 "$store" "$image" count)
    [ "$count" -ge "$before" ] || fail "round $round: $count pairs, there were $before"
    [ "$(wc -l <"$work/list")" -eq "$count" ] || fail "round $round: list and count differ"
    awk -F= 'NR <= 1 || /^size/ { next } $1 != $2 { exit 1 }' "$work/list" || fail "round $round: a torn pair"
    before=$count
done
[ "$before" -gt 5 ] || fail "nothing was put before the kills"
