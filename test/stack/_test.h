/* SPDX-License-Identifier: MIT */
/* What every test here includes. */
#ifndef TEST_STACK_H
#define TEST_STACK_H 1

#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "walk.h"

/* Not inlined, not cloned, and whose calls at the end stay calls. */
#define FRAME __attribute__((noinline, noclone, unused))
#if defined(__clang__)
#undef FRAME
#define FRAME __attribute__((noinline, unused))
#endif
#define STAY() __asm__ volatile("" ::: "memory")

/* ThreadSanitizer calls handlers itself, and later. */
#if defined(__SANITIZE_THREAD__)
#define OWN_SIGNALS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define OWN_SIGNALS 0
#endif
#endif
#ifndef OWN_SIGNALS
#define OWN_SIGNALS 1
#endif

/* Where the function that entry pc lies in begins, by its unwind table; 0: unknown. */
static inline uintptr_t function_of(const void *pc)
{
    vmos_module_t m;
    vmsk_fde_t fde;
    if (vmsk_module_note(&m, (uintptr_t)pc - 1) < 0 ||
        vmsk_fde_find(&fde, &m, (uintptr_t)pc - 1) != 0)
        return 0;
    return fde.start;
}

#define assert_in(pc, function) assert_int_equal(function_of(pc), (uintptr_t)(function))

/* Index of the first entry at or behind from that lies in a function; fails when there is none. */
static inline size_t entry_in(void **pcs, size_t n, size_t from, void (*function)(void))
{
    for (size_t i = from; i < n; i++)
        if (function_of(pcs[i]) == (uintptr_t)function)
            return i;
    fail_msg("no entry of %zu lies in the function", n);
    return n;
}
#define ENTRY_IN(pcs, n, from, f) entry_in(pcs, n, from, (void (*)(void))(uintptr_t)(f))

#endif
