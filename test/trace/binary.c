/* SPDX-License-Identifier: MIT */
/*
 * The binary form, read by what the command reads it with: the same calls give the same lines in
 * both forms; threads, a fork, a death and a full list of threads leave what they did.
 */
#include "_trace.h"

#include "../../tools/trace_binary.c"
#include "../../tools/trace_map.c"
#include "../../tools/trace_read.c"
#include "../../tools/trace_text.c"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

static size_t count(const struct trace *t, int kind)
{
    size_t i, n = 0;
    for (i = 0; i < t->events; i++)
        n += t->event[i].kind == kind;
    return n;
}

/* The same calls, whatever traces them. */
static void work(Vmalloc_t *vm)
{
    void *p[300];
    size_t i;
    for (i = 0; i < 300; i++)
        p[i] = i % 5 ? vmalloc(vm, i * i % 7000) : vmalign(vm, i + 1, 256);
    for (i = 0; i < 300; i += 2)
        p[i] = vmresize(vm, p[i], i * 11 + 1, VM_RSMOVE | VM_RSCOPY);
    for (i = 0; i < 300; i += 3)
        assert_int_equal(vmfree(vm, p[i]), 0);
    vmcompact(vm);
}

static void traced(struct trace *t, int binary, int life)
{
    Vmalloc_t *vm;
    test_begin();
    if (life)
        assert_int_equal(vmtracefile(test_path, binary ? VM_TRBINARY : 0), 0);
    vm = vmopen(Vmdcheap, Vmbest, VM_TRACE);
    if (!life)
        assert_int_equal(vmtracefile(test_path, binary ? VM_TRBINARY : 0), 0);
    work(vm);
    if (life) {
        vmclear(vm);
        vmclose(vm);
    }
    assert_int_equal(vmtracefile(NULL, 0), 0);
    if (!life)
        vmclose(vm);
    assert_int_equal(trace_read(t, test_path), 0);
    assert_string_equal(t->damage, "");
    test_end();
}

static void test_forms_agree(void **state)
{
    struct trace text, binary;
    size_t i;
    (void)state;
    traced(&text, 0, 0);
    traced(&binary, 1, 0);
    assert_false(text.binary);
    assert_true(binary.binary);
    assert_true(binary.ended);
    assert_int_equal(text.events, 300 + 150 + 100 + 1);
    assert_int_equal(binary.events, text.events);
    for (i = 0; i < text.events; i++) {
        const struct trace_event *a = &text.event[i], *b = &binary.event[i];
        assert_int_equal(a->kind, b->kind);
        assert_int_equal(a->size, b->size);
        assert_int_equal(a->align, b->align);
        assert_int_equal(a->old == a->new, b->old == b->new);
        assert_int_equal(text.region[a->region].method, binary.region[b->region].method);
        assert_true(i == 0 || b->time >= b[-1].time);
    }
    trace_free(&text);
    trace_free(&binary);
}

static void test_life_of_regions(void **state)
{
    struct trace t;
    (void)state;
    traced(&t, 1, 1);
    assert_int_equal(count(&t, VM_TROPEN), 1);
    assert_int_equal(count(&t, VM_TRCLEAR), 1);
    assert_int_equal(count(&t, VM_TRCLOSE), 1);
    assert_int_equal(t.event[0].kind, VM_TROPEN);
    assert_int_equal(t.event[t.events - 1].kind, VM_TRCLOSE);
    trace_free(&t);
}

/* ---- threads ---- */

#define THREADS 4
#define ROUNDS 40000

static Vmalloc_t *shared;
static void *box[THREADS];

/* Blocks go from thread to thread, and are of sizes that no cache of a thread keeps, so that the same
 * few addresses come again in others at once. */
static void *trade(void *arg)
{
    size_t me = (size_t)arg, i;
    for (i = 0; i < ROUNDS; i++) {
        void *p = vmalloc(shared, 20000 + i % 2);
        p = __atomic_exchange_n(&box[(me + i) % THREADS], p, __ATOMIC_ACQ_REL);
        if (p != NULL && i % 3 == 0)
            p = vmresize(shared, p, 50000, VM_RSMOVE | VM_RSCOPY);
        if (p != NULL)
            vmfree(shared, p);
    }
    return NULL;
}

/* Blocks that a resizing moved to, which are there from seq + moved on. */
#define COMING 64
static struct coming {
    uint64_t seq, address;
} coming[COMING];
static size_t ncoming;

static void arrive(struct trace_map *at, uint64_t address)
{
    assert_int_equal(trace_map_get(at, address), TRACE_NONE);
    assert_int_equal(trace_map_put(at, address, 1), 0);
}

/* In their order: the earliest first. */
static void arrivals(struct trace_map *at, uint64_t before)
{
    for (;;) {
        size_t i, first = ncoming;
        for (i = 0; i < ncoming; i++)
            if (coming[i].seq < before && (first == ncoming || coming[i].seq < coming[first].seq))
                first = i;
        if (first == ncoming)
            return;
        arrive(at, coming[first].address);
        coming[first] = coming[--ncoming];
    }
}

/* Whoever gets an address got it after it was freed, and whoever frees one has it. */
static void check_order(const struct trace *t)
{
    struct trace_map at = {0};
    size_t i;
    ncoming = 0;
    for (i = 0; i < t->events; i++) {
        const struct trace_event *e = &t->event[i];
        assert_true(i == 0 || e->seq > e[-1].seq);
        arrivals(&at, e->seq);
        if (e->old != 0)
            assert_int_not_equal(trace_map_take(&at, e->old), TRACE_NONE);
        if (e->new != 0 && e->moved == 0)
            arrive(&at, e->new);
        if (e->new != 0 && e->moved != 0) {
            assert_true(ncoming < COMING);
            coming[ncoming++] = (struct coming){e->seq + e->moved, e->new};
        }
    }
    arrivals(&at, UINT64_MAX);
    assert_int_equal(at.used, 0);
    trace_map_free(&at);
}

static void test_threads(void **state)
{
    pthread_t id[THREADS];
    struct trace t;
    size_t i;
    (void)state;
    test_begin();
    shared = vmopen(Vmdcheap, Vmbest, VM_TRACE);
    assert_int_equal(vmtracefile(test_path, VM_TRBINARY), 0);
    for (i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&id[i], NULL, trade, (void *)i), 0);
    for (i = 0; i < THREADS; i++)
        pthread_join(id[i], NULL);
    for (i = 0; i < THREADS; i++)
        vmfree(shared, box[i]);
    vmtracefile(NULL, 0);
    vmclose(shared);
    assert_int_equal(trace_read(&t, test_path), 0);
    assert_int_equal(t.bad, 0);
    assert_int_equal(count(&t, VM_TRALLOC), THREADS * ROUNDS);
    assert_int_equal(count(&t, VM_TRFREE), THREADS * ROUNDS);
    assert_true(t.threads >= THREADS);
    check_order(&t);
    trace_free(&t);
    test_end();
}

static void *brief(void *arg)
{
    vmfree(arg, vmalloc(arg, 10));
    return NULL;
}

/* Threads that come and go share chunks. */
static void test_short_lived_threads(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, VM_TRACE);
    struct trace t;
    struct stat st;
    size_t i;
    (void)state;
    test_begin();
    assert_int_equal(vmtracefile(test_path, VM_TRBINARY), 0);
    for (i = 0; i < 200; i++) {
        pthread_t id;
        assert_int_equal(pthread_create(&id, NULL, brief, vm), 0);
        pthread_join(id, NULL);
    }
    vmtracefile(NULL, 0);
    vmclose(vm);
    assert_int_equal(trace_read(&t, test_path), 0);
    assert_int_equal(t.bad, 0);
    assert_int_equal(t.events, 400);
    assert_int_equal(t.threads, 200);
    for (i = 0; i < 400; i++)
        assert_int_equal(t.event[i].thread, i / 2);
    assert_int_equal(stat(test_path, &st), 0);
    assert_true(st.st_size <= 8 * VM_TRCHUNK);
    trace_free(&t);
    test_end();
}

/* ---- processes ---- */

static void test_fork(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, VM_TRACE);
    struct trace parent, child;
    char path[64];
    int status;
    pid_t pid;
    (void)state;
    test_begin();
    assert_int_equal(vmtracefile(test_path, VM_TRBINARY), 0);
    vmalloc(vm, 1);
    pid = fork();
    if (pid == 0) {
        vmalloc(vm, 2);
        vmalloc(vm, 3);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    vmalloc(vm, 4);
    vmtracefile(NULL, 0);
    vmclose(vm);
    snprintf(path, sizeof path, "%s.%ld", test_path, (long)pid);
    assert_int_equal(trace_read(&parent, test_path), 0);
    assert_int_equal(trace_read(&child, path), 0);
    assert_int_equal(parent.events, 2);
    assert_int_equal(parent.event[1].size, 4);
    assert_int_equal(child.events, 2);
    assert_int_equal(child.event[0].size, 2);
    trace_free(&parent);
    trace_free(&child);
    unlink(path);
    test_end();
}

/* All calls that returned are there, and it is told that the end is missing. */
static void test_killed(void **state)
{
    struct trace t;
    int status;
    pid_t pid;
    (void)state;
    test_begin();
    pid = fork();
    if (pid == 0) {
        Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, VM_TRACE);
        size_t i;
        if (vmtracefile(test_path, VM_TRBINARY) != 0)
            _exit(1);
        for (i = 0; i < 20000; i++)
            vmfree(vm, vmalloc(vm, i));
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(trace_read(&t, test_path), 0);
    assert_int_equal(t.bad, 0);
    assert_int_equal(t.events, 40000);
    assert_false(t.ended);
    trace_free(&t);
    test_end();
}

/* Two processes that trace into one name have a file each. */
static void test_file_in_use(void **state)
{
    int ready[2], go[2], status;
    char path[64], c = 0;
    struct trace t;
    pid_t pid;
    (void)state;
    test_begin();
    assert_int_equal(pipe(ready) | pipe(go), 0);
    pid = fork();
    if (pid == 0) {
        Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, VM_TRACE);
        status = vmtracefile(test_path, VM_TRBINARY);
        status |= write(ready[1], &c, 1) != 1 || read(go[0], &c, 1) != 1;
        vmalloc(vm, 77);
        _exit(status != 0);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    snprintf(path, sizeof path, "%s.%ld", test_path, (long)getpid());
    assert_int_equal(vmtracefile(test_path, VM_TRBINARY), 0);
    assert_int_equal(access(path, F_OK), 0);
    vmtracefile(NULL, 0);
    unlink(path);
    assert_int_equal(write(go[1], &c, 1), 1);
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(trace_read(&t, test_path), 0);
    assert_int_equal(t.event[0].size, 77);
    trace_free(&t);
    test_end();
}

/* A program that closes all descriptors, and opens another file in place of ours. */
static void test_closed_descriptors(void **state)
{
    char other[] = "/tmp/vmotherXXXXXX";
    struct trace t;
    struct stat st;
    int status;
    pid_t pid;
    (void)state;
    test_begin();
    pid = fork();
    if (pid == 0) {
        Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, VM_TRACE);
        size_t i;
        int fd;
        if (vmtracefile(test_path, VM_TRBINARY) != 0)
            _exit(1);
        fd = mkstemp(other);
        for (i = 3; i < 1100; i++)
            if ((int)i != fd)
                dup2(fd, (int)i);
        for (i = 0; i < 20000; i++)
            vmfree(vm, vmalloc(vm, i));
        _exit(fstat(fd, &st) != 0 || st.st_size != 0 || unlink(other) != 0);
    }
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(trace_read(&t, test_path), 0);
    assert_int_equal(t.events, 40000);
    trace_free(&t);
    test_end();
}

static void test_errors(void **state)
{
    (void)state;
    assert_int_equal(vmtracefile("/nosuch/folder/file", VM_TRBINARY), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(vmtracefile("/dev/null", VM_TRBINARY), -1);
    assert_int_equal(vmtracefile(NULL, 0), 0);
    assert_int_equal(vmtrace(-1), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_agree),         cmocka_unit_test(test_life_of_regions),
        cmocka_unit_test(test_threads),             cmocka_unit_test(test_short_lived_threads),
        cmocka_unit_test(test_fork),                cmocka_unit_test(test_killed),
        cmocka_unit_test(test_file_in_use),         cmocka_unit_test(test_closed_descriptors),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
