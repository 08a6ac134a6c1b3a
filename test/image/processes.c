/* SPDX-License-Identifier: MIT */
/*
 * Several processes on one image: readers that see one commit while the writer goes on, writers in
 * turns, writers that die in their turn, children of fork.
 */
#include "_test.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

static void done(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("a child ended with status 0x%x", status);
}

/* By its name: started through /proc, it would be valgrind where the test runs under that. */
static pid_t spawn(const char *what)
{
    char program[4096];
    ssize_t n;
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n > 0) {
        program[n] = 0;
        execl(program, "processes", what, file, NULL);
    }
    _exit(9);
}

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "line %d: %s, errno %d\n", __LINE__, #x, errno);                       \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* A reader: each look at the list is of one commit; it moves on when it says so. */
static void reader(void)
{
    Vmalloc_t *vm = open_image(file, VM_IMGREAD, NULL);
    long n, was = 0;
    int i, k;
    MUST(vm != NULL);
    for (i = 0; i < 200 && was < 5000; i++) {
        for (k = 0; k < 3; k++) {
            n = length(vm);
            MUST(n >= was && n % 50 == 0);
            MUST(k == 0 || n == was);
            was = n;
            usleep(300);
        }
        MUST(vmcommit(vm) == -1 && errno == EROFS);
        push(vm, 7); /* stays in this process, and goes with the next look */
        MUST(vmrollback(vm) == 0);
    }
    MUST(vmclose(vm) == 0);
    _exit(0);
}

static void readers(void **state)
{
    Vmimgopt_t opt;
    Vmimgstat_t st;
    Vmalloc_t *vm;
    pid_t pid[2];
    int i;
    (void)state;
    memset(&opt, 0, sizeof opt);
    opt.journal = 60000;
    vm = vmimage(file, &opt);
    assert_non_null(vm);
    for (i = 0; i < 2; i++)
        pid[i] = spawn("reader");
    for (i = 0; i < 100; i++) {
        push(vm, 50);
        assert_int_equal(vmcommit(vm), 0);
        usleep(1000);
    }
    done(pid[0]);
    done(pid[1]);
    push(vm, 50);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmimgstat(vm, &st), 0);
    assert_true(st.checkpoints > 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, 0, NULL);
    assert_int_equal(length(vm), 5050);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* n turns that commit, and as many that are dropped. */
static void taker(int n)
{
    Vmimgopt_t opt;
    Vmalloc_t *vm;
    int i;
    memset(&opt, 0, sizeof opt);
    opt.flags = VM_IMGTURNS;
    opt.journal = 50000;
    opt.safety = VM_IMGPROCESS;
    vm = vmimage(file, &opt);
    MUST(vm != NULL);
    MUST(vmcommit(vm) == -1 && errno == EROFS);
    for (i = 0; i < n; i++) {
        long had;
        MUST(vmturn(vm, 1) == 0);
        had = length(vm);
        MUST(had >= 0 && had % 20 == 0);
        push(vm, 20);
        MUST(vmcommit(vm) == 0);
        MUST(vmturn(vm, 0) == 0);
        MUST(vmturn(vm, 1) == 0);
        push(vm, 13);
        MUST(vmturn(vm, 0) == 0);
    }
    MUST(vmclose(vm) == 0);
}

/* Dies with a turn that it did not end. */
static void dier(void)
{
    Vmalloc_t *vm = open_image(file, VM_IMGTURNS, NULL);
    MUST(vm != NULL && vmturn(vm, 1) == 0);
    push(vm, 33);
    kill(getpid(), SIGKILL);
}

static void turns(void **state)
{
    pid_t pid[3], dead;
    Vmalloc_t *vm;
    int i, status;
    (void)state;
    for (i = 0; i < 3; i++)
        pid[i] = spawn("taker");
    for (i = 0; i < 3; i++) {
        dead = spawn("dier");
        assert_int_equal(waitpid(dead, &status, 0), dead);
        assert_true(WIFSIGNALED(status));
    }
    for (i = 0; i < 3; i++)
        done(pid[i]);
    vm = must_open(file, 0, NULL);
    assert_int_equal(length(vm), 3 * 40 * 20);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* One writes at a time; a child of fork does not at all. */
static void alone(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    pid_t pid;
    (void)state;
    push(vm, 10);
    assert_int_equal(vmcommit(vm), 0);
    done(spawn("second"));
    if ((pid = fork()) == 0) {
        MUST(length(vm) == 10);
        push(vm, 5);
        MUST(length(vm) == 15);
        MUST(vmcommit(vm) == -1 && errno == EPERM);
        MUST(vmrollback(vm) == -1 && errno == EPERM);
        MUST(vmclose(vm) == 0);
        _exit(0);
    }
    done(pid);
    done(spawn("second"));
    assert_int_equal(length(vm), 10);
    push(vm, 5);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, 0, NULL);
    assert_int_equal(length(vm), 15);
    assert_int_equal(vmclose(vm), 0);
}

/* What spawn() names. */
static int role(const char *what)
{
    if (strcmp(what, "reader") == 0)
        reader();
    if (strcmp(what, "taker") == 0)
        taker(40);
    if (strcmp(what, "dier") == 0)
        dier();
    if (strcmp(what, "second") == 0)
        MUST(open_image(file, 0, NULL) == NULL && errno == EBUSY);
    return 0;
}

/* ---- a fork while another thread looks for an image ---- */

static int looked_enough;

static void *look(void *vm)
{
    while (!__atomic_load_n(&looked_enough, __ATOMIC_RELAXED))
        vmrootget(vm, "list", NULL);
    return NULL;
}

/* The child has not that thread, which may have been anywhere. */
static void forked_while_others_look(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    time_t began = time(NULL);
    pthread_t thread;
    int i, status = 0;
    (void)state;
    push(vm, 3);
    assert_int_equal(pthread_create(&thread, NULL, look, vm), 0);
    for (i = 0; i < 1000 && status == 0 && time(NULL) - began < 3; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(20);
            _exit(length(vm) != 3);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
    }
    __atomic_store_n(&looked_enough, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    assert_int_equal(status, 0);
    assert_int_equal(vmclose(vm), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(readers, setup, teardown),
        cmocka_unit_test_setup_teardown(turns, setup, teardown),
        cmocka_unit_test_setup_teardown(alone, setup, teardown),
        cmocka_unit_test_setup_teardown(forked_while_others_look, setup, teardown),
    };
    if (argc == 3) {
        snprintf(file, sizeof file, "%s", argv[2]);
        return role(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
