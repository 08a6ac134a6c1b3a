/* SPDX-License-Identifier: MIT */
#include "_bump.h"

#include <pthread.h>
#include <sys/wait.h>

/* Each first use happens in a process of its own, before the library's constructor has run. */
static int status[16], ncases;

static void in_child(void (*f)(void))
{
    pid_t pid = fork();

    if (pid == 0) {
        if (Vmheap->data != NULL)
            _exit(3);
        f();
        _exit(errno == 4711 && Vmheap->data != NULL ? 0 : 1);
    }
    if (waitpid(pid, &status[ncases], 0) != pid)
        status[ncases] = -1;
    ncases++;
}

#define MUST(x)                                                                                  \
    do                                                                                           \
        if (!(x))                                                                                \
            _exit(2);                                                                            \
    while (0)

static void by_macro(void)
{
    errno = 4711;
    MUST(vmalloc(Vmheap, 100) != NULL);
}

static void by_align(void)
{
    errno = 4711;
    MUST(vmalign(Vmheap, 100, 64) != NULL);
}

static void by_resize(void)
{
    errno = 4711;
    MUST(vmresize(Vmheap, NULL, 100, VM_RSZERO) != NULL);
}

static void by_free(void)
{
    errno = 4711;
    MUST(vmfree(Vmheap, NULL) == 0);
}

static void by_compact(void)
{
    errno = 4711;
    MUST(vmcompact(Vmheap) == 0);
}

static void by_function(void)
{
    errno = 4711;
    MUST((vmalloc)(Vmregion, 100) != NULL);
}

static void by_vmopen(void)
{
    errno = 4711;
    MUST(vmopen(Vmdcheap, BUMP, 0) != NULL);
}

static void by_stat(void)
{
    Vmstat_t st;

    errno = 4711;
    MUST(vmstat(NULL, NULL) == 0 && Vmheap->data == NULL);
    MUST(vmstat(NULL, &st) == 0 && st.n_seg >= 1);
}

static void *opener(void *arg)
{
    (void)arg;
    return (vmalloc)(Vmheap, 64);
}

static void by_threads(void)
{
    pthread_t t[8];
    void *p[8];
    int i, k;

    for (i = 0; i < 8; i++)
        pthread_create(&t[i], NULL, opener, NULL);
    for (i = 0; i < 8; i++)
        pthread_join(t[i], &p[i]);
    for (i = 0; i < 8; i++)
        for (k = 0; k < 8; k++)
            MUST(p[i] != NULL && (i == k || p[i] != p[k]));
    MUST(regions() == 1);
    errno = 4711;
}

__attribute__((constructor(101))) static void before_constructors(void)
{
    void (*first[])(void) = {by_macro,    by_align,  by_resize, by_free,   by_compact,
                             by_function, by_vmopen, by_stat,   by_threads};
    size_t i;

    for (i = 0; i < sizeof first / sizeof *first; i++)
        in_child(first[i]);
}

static void whatever_comes_first(void **state)
{
    int i;

    (void)state;
    assert_int_equal(ncases, 9);
    for (i = 0; i < ncases; i++)
        assert_int_equal(status[i], 0);
}

static void has_the_real_method_then(void **state)
{
    (void)state;
    assert_ptr_equal(vmr_heap(), Vmheap);
    assert_ptr_equal(Vmheap->meth.allocf, vmr_heapmeth->allocf);
    assert_ptr_equal(Vmheap->disc, vmr_heapdisc);
    assert_ptr_equal(Vmregion, Vmheap);
    assert_ptr_equal(vmregion(Vmheap->data), Vmheap);
    assert_int_equal(vmset(Vmheap, 0, 0) & VM_SINGLE, 0);
    assert_int_equal(vmr_dcflags(Vmheap), VM_DCZERO | VM_DCRESERVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_comes_first),
        cmocka_unit_test(has_the_real_method_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
