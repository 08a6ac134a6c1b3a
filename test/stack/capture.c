/* SPDX-License-Identifier: MIT */
/* The walker: each frame found, in its function, through all that a stack can be made of. */
#include "_test.h"

#include <sys/mman.h>
#include <ucontext.h>

#define MOST 512

static void *pcs[MOST];
static size_t n;

/* ---- plain calls ---- */

FRAME static void inner(size_t skip)
{
    n = vmsk_capture(pcs, MOST, skip);
    STAY();
}

FRAME static void middle(size_t skip)
{
    volatile char room[1000];
    room[skip] = 1;
    inner(skip + (size_t)room[skip] - 1);
    STAY();
}

FRAME static void outer(size_t skip)
{
    middle(skip);
    STAY();
}

static void calls(void **state)
{
    (void)state;
    errno = 123;
    outer(0);
    assert_int_equal(errno, 123);
    assert_true(n > 4);
    assert_in(pcs[0], inner);
    assert_in(pcs[1], middle);
    assert_in(pcs[2], outer);
    assert_in(pcs[3], calls);
    outer(2);
    assert_in(pcs[0], outer);
    assert_in(pcs[1], calls);
    outer(400);
    assert_int_equal(n, 0);
}

/* main() and what called it are there, and nothing behind that. */
int main(int argc, char **argv);
static void to_the_end(void **state)
{
    size_t at;
    (void)state;
    outer(0);
    at = ENTRY_IN(pcs, n, 0, main);
    assert_true(n - at <= 4);
    assert_true(n - at >= 2);
    for (size_t i = 0; i < n; i++)
        assert_int_not_equal(function_of(pcs[i]), 0);
}

static void few(void **state)
{
    void *two[3] = {NULL, NULL, (void *)1};
    (void)state;
    assert_int_equal(vmsk_capture(two, 0, 0), 0);
    assert_null(two[0]);
    assert_int_equal(vmsk_capture(two, 2, 0), 2);
    assert_in(two[0], few);
    assert_ptr_equal(two[2], (void *)1);
}

FRAME static int recurse(int depth)
{
    volatile int more = depth;
    if (depth == 0)
        inner(0);
    else
        more += recurse(depth - 1);
    return more;
}

static void recursion(void **state)
{
    (void)state;
    recurse(99);
    for (size_t i = 1; i <= 100; i++)
        assert_in(pcs[i], recurse);
    assert_in(pcs[101], recursion);
    recurse(3000);
    assert_int_equal(n, MOST);
    for (size_t i = 1; i < MOST; i++)
        assert_in(pcs[i], recurse);
}

/* ---- through libc ---- */

FRAME static int compare(const void *a, const void *b)
{
    if (n == 0)
        inner(0);
    return *(const int *)a - *(const int *)b;
}

static void through_qsort(void **state)
{
    int v[50];
    (void)state;
    for (int i = 0; i < 50; i++)
        v[i] = i * 7 % 50;
    n = 0;
    qsort(v, 50, sizeof(*v), compare);
    assert_in(pcs[1], compare);
    assert_true(ENTRY_IN(pcs, n, 2, through_qsort) < 12);
    ENTRY_IN(pcs, n, 0, main);
}

FRAME static void *thread(void *arg)
{
    outer(0);
    STAY();
    return arg;
}

static void in_a_thread(void **state)
{
    pthread_t t;
    (void)state;
    pthread_create(&t, NULL, thread, NULL);
    pthread_join(t, NULL);
    assert_in(pcs[3], thread);
    assert_true(n >= 5 && n <= 8);
}

/* ---- signals ---- */

static void *interrupted[MOST];
static size_t ninterrupted;
static size_t (*capture_there)(void **, size_t, const void *) = vmsk_capture_context;
static sigjmp_buf back;

FRAME static void handler(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    ninterrupted = capture_there(interrupted, MOST, context);
    inner(0);
    siglongjmp(back, 1);
}

static void caught(int flags, void (*f)(volatile int *), volatile int *p)
{
    static char room[65536];
    stack_t other = {.ss_sp = room, .ss_size = sizeof(room)}, was;
    struct sigaction sa, old;
    memset(&sa, 0, sizeof(sa));
    sa.sa_sigaction = handler;
    sa.sa_flags = SA_SIGINFO | flags;
    sigaltstack(&other, &was);
    sigaction(SIGSEGV, &sa, &old);
    if (sigsetjmp(back, 1) == 0)
        f(p);
    sigaction(SIGSEGV, &old, NULL);
    sigaltstack(&was, NULL);
}

/* A leaf: no frame of its own. */
FRAME VMOS_UNCHECKED static void store(volatile int *p)
{
    *p = 1;
}

static void check_fault(void *at, void *in)
{
    size_t i;
    assert_in(interrupted[0], at);
    assert_in(interrupted[1], in);
    assert_true(ninterrupted > 4);
    assert_in(pcs[0], inner);
    assert_in(pcs[1], handler);
    i = entry_in(pcs, n, 2, (void (*)(void))(uintptr_t)at);
    assert_true(i <= 3);
    assert_int_equal(n - i, ninterrupted);
    assert_memory_equal(pcs + i, interrupted, ninterrupted * sizeof(*pcs));
}

static void fault_in_a_leaf(void **state)
{
    (void)state;
    if (!OWN_SIGNALS)
        skip();
    caught(0, store, NULL);
    check_fault((void *)(uintptr_t)store, (void *)(uintptr_t)caught);
    caught(SA_ONSTACK, store, NULL);
    check_fault((void *)(uintptr_t)store, (void *)(uintptr_t)caught);
}

FRAME VMOS_UNCHECKED static void jump(volatile int *p)
{
    void (*f)(void) = (void (*)(void))(uintptr_t)p;
    f();
    STAY();
}

static void call_of_nothing(void **state)
{
    static volatile int *const nowhere[] = {NULL, (volatile int *)64};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        caught(SA_ONSTACK, jump, nowhere[i]);
        assert_int_equal((uintptr_t)interrupted[0], (uintptr_t)nowhere[i] + 1);
        assert_in(interrupted[1], jump);
        assert_in(interrupted[2], caught);
        ENTRY_IN(pcs, n, 0, jump);
    }
}

/* There is memory, but no code: who called is found by who knows that it is so. */
static void call_of_data(void **state)
{
    static volatile int data[16];
    (void)state;
    capture_there = vmsk_capture_jump;
    caught(SA_ONSTACK, jump, data);
    capture_there = vmsk_capture_context;
    assert_int_equal((uintptr_t)interrupted[0], (uintptr_t)data + 1);
    assert_in(interrupted[1], jump);
    assert_in(interrupted[2], caught);
}

/* A fault inside libc, in code that was written in assembly. */
FRAME VMOS_UNCHECKED static void copy(volatile int *p)
{
    static char from[4096];
    void *(*volatile f)(void *, const void *, size_t) = memcpy;
    f((void *)(uintptr_t)p, from, sizeof(from));
    STAY();
}

static void fault_in_libc(void **state)
{
    (void)state;
    if (!VMOS_CHAINED && function_of((char *)(uintptr_t)memcpy + 1) == 0)
        skip(); /* it has neither tables nor frame pointers */
    caught(0, copy, (volatile int *)16);
    assert_true(ENTRY_IN(interrupted, ninterrupted, 1, copy) <= 2);
    ENTRY_IN(interrupted, ninterrupted, 2, main);
}

/* At every instruction of a call through the PLT and of libc's code: a timer that strikes. */
static volatile int strikes, bad;
static void strike(int sig, siginfo_t *info, void *context)
{
    void *mine[64];
    size_t k = vmsk_capture_context(mine, 64, context), i = 0;
    int keep = errno;
    (void)sig;
    (void)info;
    while (i < k && function_of(mine[i]) != (uintptr_t)main)
        i++;
    bad += i == k;
    strikes++;
    errno = keep;
}

static void anywhere(void **state)
{
    struct sigaction sa, old;
    timer_t timer;
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec each = {{0, 200000}, {0, 200000}};
    char text[64];
    int strikes_seen = 0;
    (void)state;
    if (!OWN_SIGNALS || function_of((char *)(uintptr_t)snprintf + 1) == 0) /* nobody walks through code without tables */
        skip();
    memset(&sa, 0, sizeof(sa));
    sa.sa_sigaction = strike;
    sa.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGUSR1, &sa, &old);
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &ev, &timer), 0);
    timer_settime(timer, 0, &each, NULL);
    for (int i = 0; strikes < 300; i++) {
        free(malloc((size_t)(i % 1000)));
        snprintf(text, sizeof(text), "%d %s", i, "text");
        n = 0;
        compare(&i, &strikes_seen);
    }
    timer_delete(timer);
    sigaction(SIGUSR1, &old, NULL);
    if (bad > strikes / 100)
        print_message("%d of %d stacks are not whole\n", bad, strikes);
    assert_true(bad <= strikes / 100); /* the first instructions of some assembly say nothing */
}

/* ---- stacks that are not the thread's ---- */

static ucontext_t here, there;

static void coroutine(void)
{
    outer(0);
    swapcontext(&there, &here);
}

static void in_a_coroutine(void **state)
{
    size_t size = 65536;
    char *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)state;
    getcontext(&there);
    there.uc_stack.ss_sp = room;
    there.uc_stack.ss_size = size;
    there.uc_link = NULL;
    makecontext(&there, coroutine, 0);
    swapcontext(&here, &there);
    assert_in(pcs[2], outer);
    assert_in(pcs[3], coroutine);
    munmap(room, size);
    outer(0);
    assert_in(pcs[3], in_a_coroutine);
}

/* A walk on a coroutine's stack reads a little of what lies above it, and does not look for the end
 * of the thread's stack through all that lies between:
 *
 *   | coroutine | FIELD, never touched | no access | stack of the thread | */
#define COROUTINE ((size_t)64 << 10)
#define FIELD ((size_t)8 << 20)
#define THREAD ((size_t)1 << 20)

static void *with_a_coroutine(void *room)
{
    getcontext(&there);
    there.uc_stack.ss_sp = room;
    there.uc_stack.ss_size = COROUTINE;
    there.uc_link = NULL;
    makecontext(&there, coroutine, 0);
    swapcontext(&here, &there);
    return NULL;
}

static void below_the_thread(void **state)
{
    size_t pages = FIELD / (size_t)sysconf(_SC_PAGESIZE), touched = 0;
    size_t gap = (size_t)64 << 10, size = COROUTINE + FIELD + gap + THREAD;
    static unsigned char resident[FIELD / 4096];
    char *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attr;
    pthread_t thread;
    (void)state;
    assert_ptr_not_equal(room, MAP_FAILED);
    madvise(room, size, MADV_NOHUGEPAGE);
    assert_int_equal(mprotect(room + COROUTINE + FIELD, gap, PROT_NONE), 0);
    pthread_attr_init(&attr);
    assert_int_equal(pthread_attr_setstack(&attr, room + size - THREAD, THREAD), 0);
    assert_int_equal(pthread_create(&thread, &attr, with_a_coroutine, room), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
    assert_in(pcs[2], outer);
    assert_in(pcs[3], coroutine);
    assert_int_equal(mincore(room + COROUTINE, FIELD, resident), 0);
    for (size_t i = 0; i < pages; i++)
        touched += resident[i] & 1;
    assert_in_range(touched, 0, pages / 8);
    munmap(room, size);
}

/* Code that no module has, with a frame pointer and without. */
static void in_made_code(void **state)
{
#ifdef __x86_64__
    static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd6, 0x5d, 0xc3,
                                         0x48, 0x83, 0xec, 0x18, 0xff, 0xd6, 0x48, 0x83,
                                         0xc4, 0x18, 0xc3};
    char *made = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                      -1, 0);
    void (*call)(size_t, void (*)(size_t));
    (void)state;
    memcpy(made, code, sizeof(code));
    call = (void (*)(size_t, void (*)(size_t)))(uintptr_t)made;
    call(0, outer);
    assert_in(pcs[2], outer);
    assert_ptr_equal(pcs[3], made + 6);
    assert_in(pcs[4], in_made_code);
    call = (void (*)(size_t, void (*)(size_t)))(uintptr_t)(made + 8);
    call(0, outer);
    assert_in(pcs[2], outer);
    assert_ptr_equal(pcs[3], made + 14);
    munmap(made, 4096);
#else
    (void)state;
    skip();
#endif
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls),          cmocka_unit_test(to_the_end),
        cmocka_unit_test(few),            cmocka_unit_test(recursion),
        cmocka_unit_test(through_qsort),  cmocka_unit_test(in_a_thread),
        cmocka_unit_test(fault_in_a_leaf), cmocka_unit_test(call_of_nothing),
        cmocka_unit_test(call_of_data),
        cmocka_unit_test(fault_in_libc),  cmocka_unit_test(anywhere),
        cmocka_unit_test(in_a_coroutine), cmocka_unit_test(below_the_thread),
        cmocka_unit_test(in_made_code),
    };
    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
