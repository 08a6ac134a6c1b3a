/* SPDX-License-Identifier: MIT */
/* Threads of Windows: who they are, and that their end is noticed, however they were made; clocks and output. */
#include "_test.h"

#include <windows.h>

static int ends;            /* calls of gone() */
static uintptr_t lastended; /* vmos_self() in the last one */
static void (*inend)(void);

static void gone(void)
{
    __atomic_add_fetch(&ends, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&lastended, vmos_self(), __ATOMIC_RELAXED);
    if (inend != NULL)
        inend();
}

static void othergone(void)
{
}

/* Run body in a thread of the system's own making, to its end. */
static void inthread(LPTHREAD_START_ROUTINE body, void *arg)
{
    HANDLE t = CreateThread(NULL, 0, body, arg, 0, NULL);
    assert_non_null(t);
    assert_int_equal(WaitForSingleObject(t, INFINITE), 0);
    CloseHandle(t);
}

static DWORD WINAPI watched(void *arg)
{
    vmos_watchthread();
    vmos_watchthread();
    *(uintptr_t *)arg = vmos_self();
    return 0;
}

static DWORD WINAPI notwatched(void *arg)
{
    *(uintptr_t *)arg = vmos_self();
    return 0;
}

static void registers_once(void **state)
{
    uintptr_t self;
    (void)state;
    inthread(watched, &self); /* too early: nothing happens */
    assert_int_equal(ends, 0);
    assert_int_equal(vmos_onthreadexit(gone), 0);
    assert_int_equal(vmos_onthreadexit(gone), 0);
    errno = 0;
    assert_int_equal(vmos_onthreadexit(othergone), -1);
    assert_int_equal(errno, EBUSY);
}

static void ends_are_noticed(void **state)
{
    uintptr_t self;
    (void)state;
    ends = 0;
    inthread(notwatched, &self);
    assert_int_equal(ends, 0);
    assert_int_not_equal(self, 0);
    assert_int_not_equal(self, vmos_self());
    for (int i = 1; i <= 50; i++) {
        inthread(watched, &self);
        assert_int_equal(ends, i);
        assert_int_equal(lastended, self);
    }
}

/* A destructor of a key that frees memory comes before. */
static pthread_key_t key;
static int endsseen;

static void later(void *value)
{
    (void)value;
    endsseen = ends;
    vmos_watchthread();
}

static void *withkey(void *arg)
{
    pthread_setspecific(key, &key);
    return arg;
}

static void destructors_come_before(void **state)
{
    pthread_t t;
    (void)state;
    assert_int_equal(pthread_key_create(&key, later), 0);
    ends = 0;
    endsseen = -1;
    assert_int_equal(pthread_create(&t, NULL, withkey, NULL), 0);
    pthread_join(t, NULL);
    assert_int_equal(endsseen, 0);
    assert_int_equal(ends, 1);
    pthread_key_delete(key);
}

/* f() itself may have the thread watched: it is called again. */
static void comeback(void)
{
    inend = NULL;
    vmos_watchthread();
}

static void an_end_that_comes_back(void **state)
{
    uintptr_t self;
    (void)state;
    ends = 0;
    inend = comeback;
    inthread(watched, &self);
    assert_int_equal(ends, 2);
}

static DWORD WINAPI slowself(void *arg)
{
    uintptr_t *self = arg;
    self[0] = vmos_self_slow();
    self[1] = vmos_mark();
    return 0;
}

static void selves_differ(void **state)
{
    uintptr_t other[2];
    (void)state;
    assert_int_not_equal(vmos_self(), 0);
    assert_int_equal(vmos_self(), vmos_self_slow());
    inthread(slowself, other);
    assert_int_not_equal(other[0], 0);
    assert_int_not_equal(other[0], vmos_self_slow());
    assert_int_not_equal(other[1], vmos_mark());
    assert_true(vmos_cpus() >= 1);
    assert_int_equal(vmos_pid(), (long)GetCurrentProcessId());
}

static void clocks(void **state)
{
    uint64_t n0 = vmos_nanotime(), c0 = vmos_coarsetime();
    (void)state;
    assert_true(n0 != 0);
    Sleep(30);
    assert_true(vmos_nanotime() - n0 >= 15000000); /* a tick of its clock may be that long */
    assert_true(vmos_coarsetime() - c0 >= 14);
}

static void writes(void **state)
{
    char text[8];
    int ends_[2];
    (void)state;
    assert_int_equal(pipe(ends_), 0);
    errno = 77;
    assert_int_equal(vmos_write(ends_[1], "a\nb", 3), 0);
    assert_int_equal(errno, 77);
    assert_int_equal(read(ends_[0], text, sizeof text), 3);
    assert_memory_equal(text, "a\nb", 3);
    close(ends_[0]);
    close(ends_[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_once),          cmocka_unit_test(ends_are_noticed),
        cmocka_unit_test(destructors_come_before), cmocka_unit_test(an_end_that_comes_back),
        cmocka_unit_test(selves_differ),           cmocka_unit_test(clocks),
        cmocka_unit_test(writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
