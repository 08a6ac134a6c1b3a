/* SPDX-License-Identifier: MIT */
#include "_bump.h"

#include <pthread.h>
#include <sys/wait.h>

static int ended(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void *memory(Vmalloc_t *vm, void *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    (void)vm, (void)disc;
    if (csize == 0)
        return malloc(nsize);
    if (nsize > 0)
        return NULL;
    free(addr);
    return addr;
}
static Vmdisc_t libc = {memory, NULL, 0, 0};

static int stop;

static void *busy(void *arg)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        Vmalloc_t *vm = vmopen(&libc, BUMP, 0);
        vmalloc(arg, 100);
        vmclear(arg);
        vmname(Vmheap, "heap");
        vmregion(vm);
        vmclose(vm);
    }
    return NULL;
}

/* The child of a process whose threads are all inside the library can use all of it. */
static void child_is_free(void **state)
{
    pthread_t t[2];
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);
    int i;

    (void)state;
    stop = 0;
    for (i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, busy, vm);
    for (i = 0; i < 100; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            Vmalloc_t *mine = vmopen(Vmdcheap, BUMP, 0);
            int good = mine != NULL && vmalloc(mine, 10) && vmalloc(vm, 10) &&
                       vmr_index_check() > 0 && vmclose(mine) == 0 &&
                       bump_of(vm)->events[VM_METHFORK] == 1;
            _exit(good ? 0 : 1);
        }
        assert_int_equal(ended(pid), 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(bump_of(vm)->events[VM_METHFORK], 0);
    bump_close(vm, c);
}

static void single_regions_hear_nothing(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, VM_SINGLE);
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        _exit(bump_of(vm)->events[VM_METHFORK]);
    assert_int_equal(ended(pid), 0);
    bump_close(vm, c);
}

static void *watched(void *arg)
{
    vmos_watchthread();
    *(uintptr_t *)arg = vmos_self();
    return NULL;
}

static void threads_that_end_are_told_of(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);
    uintptr_t self = 0;
    pthread_t t;

    (void)state;
    pthread_create(&t, NULL, watched, &self);
    pthread_join(t, NULL);
    assert_int_equal(bump_of(vm)->events[VM_METHEXIT], 1);
    assert_int_equal((uintptr_t)bump_of(vm)->arg, self);
    bump_close(vm, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(child_is_free),
        cmocka_unit_test(single_regions_hear_nothing),
        cmocka_unit_test(threads_that_end_are_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
