#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# _run.sh PROGRAM SOURCE: the crime is found at each level as the head of its source says, and the same
# program without it is silent. A line of the head:
#
#   /* LEVEL [STATUS]: MESSAGE */
#
# LEVEL is fence, guard, below (guards in front), or both (fence and guard). STATUS, 86 when not given, is the
# status that the process ends with, 128 and the signal for a signal. MESSAGE is a basic regular expression
# for the text behind "vmalloc(PID): "; "same" stands for that of fence. A level that is not named must not
# find anything, but with a guard on the other side. Without the crime it is silent when each block is a sample, too.
set -uo pipefail

program=$1 source=$2
library=$VMALLOC_BUILD/libvmalloc-malloc.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
declare -A status message

while read -r level code text; do
    for l in ${level/both/fence guard}; do
        status[$l]=$code
        message[$l]=${text/#same/${message[fence]:-}}
    done
done < <(sed -nE 's,^/\* (fence|guard|below|both)( ([0-9]+))?: (.*) \*/$,\1 \3 \4,p' "$source" |
    sed -E 's/^([a-z]+)  /\1 86 /')
[ ${#status[@]} -gt 0 ] || { echo "$source says nothing of what is to be found"; exit 1; }

# run OPTIONS [ARGUMENT]: $code, and $work/said. No names are asked for, which would cost most of the time.
run() {
    timeout 60 env VMALLOC_TOOL=/none VMDEBUG="exitcode=86,$1" LD_PRELOAD="$library" \
        "$program" ${2:+"$2"} >/dev/null 2>"$work/said" &
    wait $! 2>/dev/null
    code=$?
}

complain() {
    echo "$1"
    sed 's/^/    /' "$work/said"
    failed=1
}

run sample=1 right
[ "$code" = 0 ] && [ ! -s "$work/said" ] || complain "sample: status $code of the correct program"
for level in fence guard below; do
    options=${level/below/guard=below}
    run "$options" right
    [ "$code" = 0 ] && [ ! -s "$work/said" ] || complain "$level: status $code of the correct program"
    if [ -n "${status[$level]:-}" ]; then
        run "$options"
        [ "$code" = "${status[$level]}" ] || complain "$level: status $code, not ${status[$level]}"
        grep -q "^vmalloc([0-9]*): .*${message[$level]}" "$work/said" ||
            complain "$level: not said: ${message[$level]}"
    elif [ "$level" = fence ]; then
        run "$options"
        [ "$code" = 0 ] && [ ! -s "$work/said" ] || complain "$level: status $code, though nothing shows there"
    fi
done
exit $failed
