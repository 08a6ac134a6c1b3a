#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Programs that may do less than others work on our malloc: in a sandbox that refuses system calls and flags of
# mmap(), in a folder that is the root and has no /proc; and those that run with rights of another user take no
# notice of options.
set -uo pipefail

# shellcheck source=test/support/_linked.sh
. "${VMALLOC_SOURCE:?}/test/support/_linked.sh"

cat >program.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
static void *use(void *arg)
{
    for (size_t i = 0; i < 3000; i++) {
        char *volatile p = malloc(1 + i % 5000);
        memset(p, 1, 1 + i % 5000);
        p = realloc(p, i * 20 + 1);
        p[i * 20] = 1;
        free(p);
    }
    return arg;
}
int main(void)
{
    pthread_t thread[3];
    for (int i = 0; i < 3; i++)
        if (pthread_create(&thread[i], NULL, use, NULL) != 0)
            return 1;
    use(NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    printf("done %lu\n", getauxval(AT_SECURE));
    return 0;
}
END
if ! cc -O0 program.c -o program -pthread; then
    echo "no compiler"
    exit 77
fi

# says OUTPUT COMMAND...: that and nothing else, and status 0
says() {
    local want=$1 got status
    shift
    got=$(timeout 60 "$@" 2>&1)
    status=$?
    if [ $status != 0 ] || [ "$got" != "$want" ]; then
        echo "FAILED: ${*//$work/.}: status $status: $got"
        failed=1
    fi
}

modes=("" "debug,noleaks" method=last profile=profile trace=trace)

# Refuses with the error that is named what our library could ask for besides memory, and the flags that it would like.
cat >sandbox.c <<'END'
#define _GNU_SOURCE 1
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
#define NO(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), no
int main(int argc, char **argv)
{
    struct sock_filter no = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)atoi(argv[1]));
    struct sock_filter all[] = {
        LOAD(nr), NO(madvise), NO(mremap), NO(membarrier), NO(rseq), NO(mincore), NO(prctl), NO(getrandom),
        NO(memfd_create), NO(process_vm_readv), NO(sched_getaffinity), NO(getcpu), NO(readlinkat), NO(sigaltstack),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3), LOAD(args[3]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_NORESERVE | MAP_HUGETLB | 0x100000, 0, 1), no,
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {sizeof all / sizeof *all, all};
    if (argc < 3 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return 1;
    execvp(argv[2], argv + 2);
    return 1;
}
END
if cc sandbox.c -o sandbox 2>/dev/null && timeout 60 ./sandbox 1 ./program >/dev/null 2>&1; then
    for error in 1 22 38; do # EPERM, EINVAL, ENOSYS
        for mode in "${modes[@]}"; do
            says "done 0" ./sandbox $error env LD_PRELOAD="$work/library.so" VMALLOC_OPTIONS="$mode" ./program
        done
    done
else
    echo "sandbox: passed over, not to be had here"
fi

mkdir root
for file in $(ldd program | grep -o '/[^ ]*'); do
    mkdir -p "root$(dirname "$file")" && cp -L "$file" "root$file"
done
cp -L program library.so root/
loader=$(ldd program | grep -o '/[^ ]*/ld[^ /]*\.so[^ ]*' | head -n 1) # ld-linux-x86-64.so.2, ld64.so.1, ld-musl-x86_64.so.1
if [ -n "$loader" ] && chroot root "$loader" /program >/dev/null 2>&1; then
    for mode in "${modes[@]}"; do
        says "done 0" chroot root "$loader" --preload /library.so /program
    done
else
    echo "chroot: passed over, not allowed here"
fi

# The library is a part of the program, since the loader would not take it from us. What is said would be an error,
# and files would be written.
if cc -O0 program.c -o program.other "${library%.so}.a" -pthread && [ "$(id -u)" = 0 ] && chown 65534 program.other &&
    chmod u+s program.other && chmod 755 . && [ "$(./program.other)" = "done 1" ]; then
    says "done 1" env VMALLOC_OPTIONS=frobnicate VMETHOD=none ./program.other
    says "done 1" env VMDEBUG=1 VMPROFILE=./other ./program.other
    says "done 1" env VMTRACE=./other VMCHECK=1 ./program.other
    [ ! -e other ] || { echo "FAILED: a file was written"; failed=1; }
    got=$(VMALLOC_OPTIONS=frobnicate LD_PRELOAD=$work/library.so ./program 2>&1)
    [[ $got == *frobnicate* ]] || { echo "FAILED: nothing is said where something should be: $got"; failed=1; }
else
    echo "set-user-ID: passed over, cannot be made here"
fi
exit $failed
