#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# store.sh PROGRAM: the key-value store of examples/08-key-value.c is killed in the middle of writing, three
# times, and opened again: every pair of which it had said that it is safe has to be there and whole. Exit
# status 1 when one is not.
set -uo pipefail

store=$1
export LC_ALL=C
work=$(mktemp -d) || exit 1
filler=
trap '[ -z "$filler" ] || kill -9 "$filler" 2>/dev/null; rm -rf "$work"' EXIT

fail() {
    echo "  FAILED: $*"
    exit 1
}

# fill_and_kill IMAGE TENTHS: fill until it has told of some pairs and a bit longer, then kill -9.
fill_and_kill() {
    local i
    : >"$work/told"
    "$store" "$1" fill >"$work/told" 2>"$work/err" &
    filler=$!
    for ((i = 0; i < 400 && $(wc -l <"$work/told") < 20; i++)); do
        sleep 0.05
    done
    sleep "0.$2"
    kill -9 "$filler" || fail "it ended by itself: $(cat "$work/err")"
    { wait "$filler"; } 2>/dev/null
    filler=
    sort "$work/told" >"$work/safe"
    [ -s "$work/safe" ] || fail "not one pair was stored in 20 seconds"
}

# look IMAGE ROUND: open again, compare with what was told, a line of the table.
look() {
    local found lost torn more
    timeout 20 "$store" "$1" list >"$work/list" || fail "it does not open again"
    cut -d= -f1 "$work/list" | sort >"$work/keys"
    found=$(wc -l <"$work/list")
    lost=$(comm -23 "$work/safe" "$work/keys" | wc -l)
    more=$(comm -13 "$work/safe" "$work/keys" | wc -l)
    torn=$(awk -F= '$1 != $2' "$work/list" | wc -l)
    printf '  %5d %12d %13d %8d %8d\n' "$2" "$(wc -l <"$work/safe")" "$found" "$lost" "$torn"
    [ "$lost" = 0 ] || fail "$lost pairs that were said to be safe are lost"
    [ "$torn" = 0 ] || fail "$torn pairs are not what was stored"
    [ "$more" -le 1 ] || fail "$((more - 1)) pairs that were never committed are there"
}

echo "A small key-value store in a file (examples/08-key-value.c) is killed in the middle of writing:"
echo "  it stores a pair, commits, says that the pair is safe, stores the next; kill -9 comes at any moment;"
echo "  then the file is opened again, and what is in it compared with what was said to be safe"
echo
echo "  round   said safe   found again     lost     torn"
for round in 1 2 3; do
    image=$work/pairs.$round
    fill_and_kill "$image" $((round + 1))
    look "$image" $round
    timeout 20 "$store" "$image" put after "the crash" || fail "nothing can be stored after the crash"
    [ "$(timeout 20 "$store" "$image" get after)" = "the crash" ] || fail "what is stored after the crash is lost"
done
echo
echo "  nothing that was committed is lost, and storing goes on (one pair more than said: it was committed,"
echo "  and the kill came before it could be said)"
