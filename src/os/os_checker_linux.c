/* SPDX-License-Identifier: MIT */
/*
 * os_checker: how Memcheck and AddressSanitizer are found and told.
 *
 * Valgrind runs a program in its own simulation of the processor.  It knows a few instructions that
 * do nothing (rotations that add up to a whole turn, a register exchanged with itself) as a request: six words,
 * the first of which says what is asked, and an answer.  On a real processor the answer remains what it was
 * before.  Sequences and numbers are those that Valgrind publishes for this purpose ("Client requests" and
 * "Memory pools" in its manual; they are kept stable); on other processors there are none.
 *
 * AddressSanitizer is there when the program was linked with it: then its functions are, to which the
 * references here are weak.  A library that is itself compiled with it tells nothing, for its own
 * looks at its free memory would be reported.
 */
#include "os_checker.h"

#include <stdlib.h>

int vmos_checkers;

/* ---- Valgrind ---- */

#if defined(__x86_64__) && !defined(__ILP32__)
#define REQUEST(answer, words)                                                                    \
    __asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi\n\t"      \
                     "xchgq %%rbx, %%rbx"                                                         \
                     : "=d"(answer) : "a"(words), "0"(answer) : "cc", "memory")
#elif defined(__i386__)
#define REQUEST(answer, words)                                                                    \
    __asm__ volatile("roll $3, %%edi; roll $13, %%edi; roll $29, %%edi; roll $19, %%edi\n\t"      \
                     "xchgl %%ebx, %%ebx"                                                         \
                     : "=d"(answer) : "a"(words), "0"(answer) : "cc", "memory")
#elif defined(__aarch64__)
#define REQUEST(answer, words)                                                                    \
    __asm__ volatile("mov x3, %1; mov x4, %2\n\t"                                                 \
                     "ror x12, x12, #3; ror x12, x12, #13; ror x12, x12, #51; ror x12, x12, #61\n\t" \
                     "orr x10, x10, x10\n\t"                                                      \
                     "mov %0, x3"                                                                 \
                     : "=r"(answer) : "r"(answer), "r"(words) : "cc", "memory", "x3", "x4")
#elif defined(__s390x__)
#define REQUEST(answer, words)                                                                    \
    __asm__ volatile("lgr 2, %1; lgr 3, %2\n\t"                                                   \
                     "lr 15, 15; lr 1, 1; lr 2, 2; lr 3, 3\n\t"                                   \
                     "lr 2, 2\n\t"                                                                \
                     "lgr %0, 3"                                                                  \
                     : "=d"(answer) : "a"(words), "0"(answer) : "cc", "memory", "2", "3")
#else
#define REQUEST(answer, words) ((void)(words))
#endif

enum {
    CREATE_MEMPOOL = 0x1303,
    DESTROY_MEMPOOL = 0x1304,
    MEMPOOL_ALLOC = 0x1305,
    MEMPOOL_FREE = 0x1306,
    MEMPOOL_CHANGE = 0x1309,
    CHANGE_ERR_DISABLEMENT = 0x1801,
    MAKE_NOACCESS = 0x4d430000, /* 'M', 'C': Memcheck's own */
    MAKE_UNDEFINED,
    MAKE_DEFINED
};

static uintptr_t request(uintptr_t what, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d)
{
    volatile uintptr_t words[6] = {what, a, b, c, d, 0};
    uintptr_t answer = 0;

    REQUEST(answer, &words[0]);
    return answer;
}

static void memcheck(uintptr_t what, const void *p, size_t n)
{
    if (n > 0)
        request(what, (uintptr_t)p, n, 0, 0);
}

/* ---- AddressSanitizer ---- */

#if defined(__SANITIZE_ADDRESS__)
#define VMOS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VMOS_SANITIZED 1
#endif
#endif

#ifdef VMOS_SANITIZED
static void (*const poison)(const void *, size_t), (*const unpoison)(const void *, size_t);
static void (*const addroot)(const void *, size_t);
#else
__attribute__((weak)) void __asan_poison_memory_region(const void *p, size_t n);
__attribute__((weak)) void __asan_unpoison_memory_region(const void *p, size_t n);
__attribute__((weak)) void __lsan_register_root_region(const void *p, size_t n);
#define addroot __lsan_register_root_region
#define poison __asan_poison_memory_region
#define unpoison __asan_unpoison_memory_region
#endif

/* ---- both ---- */

int vmos_checkers_find(void)
{
    static const char any;
    int found = 0;

    if (request(MAKE_DEFINED, (uintptr_t)&any, 1, 0, 0) != 0)
        found |= VMOS_MEMCHECK;
    if (poison != NULL && unpoison != NULL)
        found |= VMOS_ASAN;
    if (found != 0)
        __atomic_store_n(&vmos_checkers, found, __ATOMIC_RELAXED);
    return found;
}

void vmos_checker_pool(const void *pool)
{
    if (vmos_checkers & VMOS_MEMCHECK)
        request(CREATE_MEMPOOL, (uintptr_t)pool, VMOS_FENCE, 0, 0);
}

void vmos_checker_unpool(const void *pool)
{
    if (vmos_checkers & VMOS_MEMCHECK)
        request(DESTROY_MEMPOOL, (uintptr_t)pool, 0, 0, 0);
}

static void fence(const char *p, size_t size, size_t slot)
{
    if (slot <= size)
        return;
    if (vmos_checkers & VMOS_MEMCHECK)
        memcheck(MAKE_NOACCESS, p + size, slot - size);
    if (vmos_checkers & VMOS_ASAN)
        poison(p + size, slot - size);
}

void vmos_checker_alloc(const void *pool, const void *p, size_t size, size_t slot)
{
    if (vmos_checkers & VMOS_MEMCHECK)
        request(MEMPOOL_ALLOC, (uintptr_t)pool, (uintptr_t)p, size, 0);
    if (vmos_checkers & VMOS_ASAN)
        unpoison(p, slot);
    fence(p, size, slot);
}

void vmos_checker_resize(const void *pool, const void *p, size_t old, size_t size, size_t slot)
{
    if (vmos_checkers & VMOS_MEMCHECK) {
        request(MEMPOOL_CHANGE, (uintptr_t)pool, (uintptr_t)p, (uintptr_t)p, size);
        if (size > old)
            memcheck(MAKE_UNDEFINED, (const char *)p + old, size - old);
    }
    if (vmos_checkers & VMOS_ASAN)
        unpoison(p, slot);
    fence(p, size, slot);
}

void vmos_checker_free(const void *pool, const void *p, size_t slot)
{
    if (vmos_checkers & VMOS_MEMCHECK)
        request(MEMPOOL_FREE, (uintptr_t)pool, (uintptr_t)p, 0, 0);
    fence(p, 0, slot);
}

void vmos_checker_plain(const void *p, size_t n, int defined)
{
    if (vmos_checkers & VMOS_MEMCHECK)
        memcheck(defined ? MAKE_DEFINED : MAKE_UNDEFINED, p, n);
    if (vmos_checkers & VMOS_ASAN)
        unpoison(p, n);
}

/* Destructors of a shared library would come too late. */
void vmos_checker_atend(void (*f)(void))
{
    if ((vmos_checkers & VMOS_ASAN) && addroot != NULL)
        atexit(f);
}

void vmos_checker_root(const void *p, size_t n)
{
    if ((vmos_checkers & VMOS_ASAN) && addroot != NULL)
        addroot(p, n);
}

void vmos_checker_hush(int hush)
{
    if (vmos_checkers & VMOS_MEMCHECK)
        request(CHANGE_ERR_DISABLEMENT, hush ? 1 : (uintptr_t)-1, 0, 0, 0);
}
