/* SPDX-License-Identifier: MIT */
/*
 * A writer is killed at every system call: once before it and once after it, from making the image over
 * commits and a checkpoint to closing it.  A tracer (ptrace) counts and kills; then the image is opened and
 * has what was told to be committed, or what was tried.  Skipped where tracing is not allowed.
 * VM_KILLS in the environment is about the number of kills, and then none is left out: without it only
 * every tenth stop is one.
 */
#include "_test.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>

typedef struct shared {
    volatile long tried, sure;
} shared_t;
static shared_t *at;
static long kills;

static void commit(Vmalloc_t *vm, long n)
{
    at->tried = n;
    if (vmcommit(vm) != 0)
        _exit(2);
    at->sure = n;
}

/* Commits of few pages and of many, a place given back, a journal that gets full, an opening again. */
static void live(unsigned flags, int safety)
{
    Vmimgopt_t opt;
    memset(&opt, 0, sizeof opt);
    opt.flags = flags;
    opt.safety = safety;
    opt.journal = 60000;
    for (int i = 0; i < 2; i++) {
        Vmalloc_t *vm = vmimage(file, &opt);
        long n = vm != NULL ? length(vm) : -1;
        void *block;
        if (n < 0)
            _exit(1);
        push(vm, 5);
        commit(vm, n + 5);
        block = vmalloc(vm, 40000);
        push(vm, 300);
        commit(vm, n + 305);
        vmfree(vm, block);
        vmcompact(vm);
        push(vm, 10);
        commit(vm, n + 315);
        if (vmclose(vm) != 0)
            _exit(3);
    }
    _exit(0);
}

/* 1: killed at the n-th stop; 0: it ended before; -1: tracing is not allowed. */
static int kill_at(long n, unsigned flags, int safety)
{
    int state;
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(77);
        raise(SIGSTOP);
        live(flags, safety);
    }
    assert_int_equal(waitpid(child, &state, 0), child);
    if (WIFEXITED(state) && WEXITSTATUS(state) == 77)
        return -1;
    while (WIFSTOPPED(state) && n-- > 0) {
        int sig = WSTOPSIG(state) == SIGSTOP || WSTOPSIG(state) == SIGTRAP ? 0 : WSTOPSIG(state);
        assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, (void *)(intptr_t)sig), 0);
        assert_int_equal(waitpid(child, &state, 0), child);
    }
    if (WIFSTOPPED(state)) {
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &state, 0), child);
        assert_true(WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL);
        kills++;
        return 1;
    }
    assert_true(WIFEXITED(state) && WEXITSTATUS(state) == 0);
    return 0;
}

static void look(long stop)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    long n = length(vm);
    if (n != at->sure && n != at->tried)
        fail_msg("stop %ld: found %ld, committed %ld, tried %ld", stop, n, at->sure, at->tried);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    at->sure = at->tried = n;
}

/* A life killed at each `step`-th stop in turn, on what the one before left or, with `anew`, on nothing. */
static int lives(unsigned flags, int safety, int anew, int first, int step)
{
    int r = 1;
    for (long stop = first; r == 1; stop += step) {
        if (anew || at->sure > 10000) {
            unlink(file);
            at->sure = at->tried = 0;
        }
        r = kill_at(stop, flags, safety);
        if (r >= 0)
            look(stop);
    }
    return r;
}

static void killed_at_each_call(void **state)
{
    static const struct {
        unsigned flags;
        int safety, anew;
    } way[] = {{0, VM_IMGPOWER, 1}, {0, VM_IMGPROCESS, 0}, {VM_IMGNOTRACK, VM_IMGPOWER, 0}, {0, VM_IMGGROUP, 0}};
    const char *most = getenv("VM_KILLS");
    int step = most != NULL ? 1 : 10;
    size_t i = 0;
    (void)state;
    at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    do
        if (lives(way[i % 4].flags, way[i % 4].safety, way[i % 4].anew, 1 + (int)i * 3 % step, step) < 0)
            skip();
    while (++i < 4 || (most != NULL && kills < atol(most)));
    printf("%ld kills\n", kills);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_at_each_call, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
