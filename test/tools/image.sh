#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# vmalloc image on images of both kinds: what it says of sound ones, of damaged ones, and of other files.
set -uo pipefail

command=${VMALLOC_BUILD:?}/vmalloc
library=$(realpath "$VMALLOC_BUILD/libvmalloc.a")
if [ ! -x "$command" ] || [ ! -e "$library" ] || ! command -v cc >/dev/null; then
    echo "$command or $library is not built, or there is no compiler"
    exit 77
fi
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
failed=0
cp "$command" "$work/vmalloc"
cp "$library" "$work/libvmalloc.a"
cd "$work" || exit 1

fail() {
    echo "FAILED: $*"
    failed=1
}

# says STATUS PATTERN ARGUMENTS...: "vmalloc image ARGUMENTS" ends so, and one line of it is like that
says() {
    local status=$1 pattern=$2
    shift 2
    timeout 60 ./vmalloc image "$@" >out 2>&1
    local got=$?
    [ "$got" -eq "$status" ] || fail "image $*: status $got, not $status: $(head -3 out)"
    grep -q -e "$pattern" out || fail "image $*: no line like \"$pattern\" in: $(cat out)"
}

cat >make.c <<'END'
#include <string.h>
#include <unistd.h>
#include <vmalloc.h>
#include <vmalloc/image.h>
#include <vmalloc/share.h>
/* make committed|shared [die]: 1000 blocks of 100 bytes, one of them a root. */
int main(int argc, char **argv)
{
    int shared = argv[1][0] == 's', i;
    Vmalloc_t *vm = shared ? vmmshare("s.img", NULL) : vmimage("c.img", NULL);
    char *p = NULL;
    if (vm == NULL)
        return 1;
    for (i = 0; i < 1000; i++)
        if ((p = vmalloc(vm, 100)) != NULL)
            memcpy(p, "contents", 9);
    if (p == NULL || (!shared && (vmrootset(vm, "last", p, 5, 2) != 0 || vmcommit(vm) != 0)))
        return 1;
    if (argc > 2)
        _exit(0);
    return vmclose(vm) != 0;
}
END
cc -I "${VMALLOC_SOURCE:?}/include" make.c libvmalloc.a -pthread -o make || exit 1
if ! ./make committed || ! ./make shared; then
    echo "images cannot be had here"
    exit 77
fi

says 0 "^kind  *committed, [12] commits" info c.img
says 0 "^roots  *last: type 0x5, version 2, block of 112 bytes" info c.img
says 0 "^method  *Vmbest" info s.img
says 0 "^kind  *shared, 0 processes use it" info s.img
says 0 '"n_busy":1000,' info --json c.img
says 0 '"roots":\[{"name":"last"' info --json c.img
says 0 "c.img: sound: 1000 blocks" check c.img
says 0 "s.img: sound: 1000 blocks" check s.img
says 0 '"sound":true,"faults":0,"pages":0,"blocks":1000' check --json c.img
says 0 "112 busy" dump c.img
says 0 "contents" dump --contents c.img
[ "$(./vmalloc image dump s.img | grep -c busy)" -ge 1000 ] || fail "dump does not list all blocks"
if command -v python3 >/dev/null; then
    ./vmalloc image info --json c.img | python3 -m json.tool >/dev/null || fail "no JSON"
fi

# Where something else lies at the image's addresses: commands that look find others, those that write do not.
base=$(./vmalloc image info c.img | sed -n 's/^addresses  *\(0x[0-9a-f]*\),.*/\1/p')
cat >taker.c <<'END'
#define _GNU_SOURCE 1
#include <stdlib.h>
#include <sys/mman.h>
__attribute__((constructor)) static void take(void)
{
    void *at = (void *)strtoul(getenv("TAKE"), NULL, 16);
    if (mmap(at, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != at)
        _Exit(99);
}
END
if cc -shared -fPIC taker.c -o taker.so 2>/dev/null && [ -n "$base" ] &&
    TAKE=$base LD_PRELOAD=./taker.so ./vmalloc --version >/dev/null 2>&1; then
    export TAKE=$base
    taken() {
        local status=$1 pattern=$2
        shift 2
        LD_PRELOAD=./taker.so says "$status" "$pattern" "$@"
    }
    taken 0 "^moved  *its own addresses, from $base, are taken" info c.img
    taken 0 "\"home\":\"$base\"" info --json c.img
    taken 0 "c.img: sound: 1000 blocks" check c.img
    taken 0 "contents" dump --contents c.img
    taken 126 "are taken" compact c.img
    cp c.img bit.img
    at=$(grep -abo contents bit.img | sed -n 500p | cut -d: -f1)
    printf 'K' | dd of=bit.img bs=1 seek="$at" conv=notrunc status=none
    taken 1 "the page at 0x[0-9a-f]* has [0-9]* blocks, from 0x" check bit.img
    says 0 "^addresses  *$base," info c.img
fi

# A copy of the last commit is an image of its own; making room changes nothing in it.
timeout 60 ./vmalloc image snapshot c.img copy.img || fail "snapshot: status $?"
says 0 "copy.img: sound: 1000 blocks" check copy.img
says 0 "on the disk" compact copy.img
says 0 "copy.img: sound: 1000 blocks" check copy.img
says 2 "shared" snapshot s.img copy2.img

# What a death leaves.
./make committed die
says 0 "c.img: sound: 2000 blocks" check c.img
says 0 "1 commits came from the journal" recover c.img
./make shared die
says 0 "block of 112 bytes at .* was allocated by a process that died" recover s.img
says 0 ": freed" recover --drop s.img
says 0 "s.img: sound: 1993 blocks" check s.img

# Damage, and what is no image.
cp copy.img cut.img
truncate -s 100000 cut.img
says 1 "the file was cut" check cut.img
cp copy.img header.img
printf 'XXXX' | dd of=header.img bs=1 seek=40 conv=notrunc status=none
printf 'XXXX' | dd of=header.img bs=1 seek=4136 conv=notrunc status=none
says 1 "damaged" check header.img
cp copy.img state.img # the region's own state, at the start of its segment
head -c 4096 /dev/urandom | dd of=state.img bs=1 seek=$((262144 + 4096 + 262144 + 514 * 4096 + 2097152 + 4096)) conv=notrunc status=none
says 1 "DAMAGED\|cannot be" check state.img

# A bit of a block's bytes: the page is named, and the block.
cp copy.img bit.img
at=$(grep -abo contents bit.img | sed -n 500p | cut -d: -f1)
printf 'K' | dd of=bit.img bs=1 seek="$at" conv=notrunc status=none
says 1 "the page at 0x[0-9a-f]*, [0-9]* bytes at offset $((at / 4096 * 4096)) of the file, is not what was committed" \
    check bit.img
says 1 "the page at 0x[0-9a-f]* has [0-9]* blocks, from 0x" check bit.img
says 1 "DAMAGED in 0 places, and in 1 pages" check bit.img
says 1 '"sound":false,"faults":0,"pages":1,' check --json bit.img
says 2 "no image" check make.c
says 2 "directory" check .
says 126 "No such file" check nothing
says 2 "one file is wanted" check
says 2 "two files are wanted" snapshot c.img
says 2 "one of its commands" frobnicate c.img
says 2 "unrecognized" check --frobnicate c.img
says 0 "Usage: vmalloc image" --help

[ $failed -eq 0 ] && echo "vmalloc image works"
exit $failed
