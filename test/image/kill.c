/* SPDX-License-Identifier: MIT */
/*
 * A writer is killed at any moment, a hundred times, with kill -9: what it was told to be committed is
 * there, no more than what it tried, and the region is sound.  Small journals, so that it dies in
 * checkpoints as well; and it is opened with all ways to find changes.  VM_KILLS in the environment is the
 * number of kills instead, VM_SEED says at which moments.
 */
#include "_test.h"

#include <signal.h>
#include <sys/mman.h>
#include <time.h>

typedef struct shared {
    volatile long tried, sure;
} shared_t;

static void writer(shared_t *at, unsigned flags, int safety)
{
    Vmimgopt_t opt;
    Vmalloc_t *vm;
    long n;
    memset(&opt, 0, sizeof opt);
    opt.flags = flags;
    opt.safety = safety;
    opt.journal = 100000;
    vm = vmimage(file, &opt);
    if (vm == NULL)
        _exit(1);
    for (n = length(vm); n >= 0; n += 10) {
        push(vm, 10);
        vmfree(vm, vmalloc(vm, (size_t)(n % 7000)));
        if (n % 90 == 0)
            vmcompact(vm);
        at->tried = n + 10;
        if (vmcommit(vm) != 0)
            _exit(2);
        at->sure = n + 10;
        if (n % 5000 == 4990 && (vmclose(vm) != 0 || (vm = vmimage(file, &opt)) == NULL))
            _exit(3);
    }
    _exit(4);
}

static void killed(void **state)
{
    shared_t *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const char *kills = getenv("VM_KILLS"), *seed = getenv("VM_SEED");
    int round, status, rounds = kills != NULL ? atoi(kills) : 100;
    unsigned r = seed != NULL ? (unsigned)strtoul(seed, NULL, 10) : 1;
    long n;
    (void)state;
    for (round = 0; round < rounds; round++) {
        struct timespec t = {0, 0};
        Vmalloc_t *vm;
        pid_t pid;
        r = r * 1103515245u + 12345u;
        t.tv_nsec = (long)(r >> 8 & 0xffff) * 300;
        pid = fork();
        if (pid == 0)
            writer(at, round % 9 == 0 ? VM_IMGNOTRACK : 0, round % 3);
        nanosleep(&t, NULL);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        vm = must_open(file, 0, NULL);
        n = length(vm);
        if (n < at->sure || n > at->tried || n % 10 != 0)
            fail_msg("round %d: found %ld, committed %ld, tried %ld", round, n, at->sure, at->tried);
        assert_int_equal(vmdbcheck(vm), 0);
        at->sure = at->tried = n;
        if (n > 20000) {
            vmclear(vm);
            assert_int_equal(vmrootset(vm, "list", NULL, 1, 1), 0);
            assert_int_equal(vmcommit(vm), 0);
            at->sure = at->tried = 0;
        }
        assert_int_equal(vmclose(vm), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
