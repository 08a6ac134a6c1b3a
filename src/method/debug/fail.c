/* SPDX-License-Identifier: MIT */
/*
 * fail: allocations that fail on purpose: the n-th, every k-th, a part of all by chance, or those of one
 * place in the program.  The same seed fails the same ones.
 */
#include "books.h"

#include <errno.h>

static size_t count;
static uint32_t last; /* stack of the last one that failed */

static int bysite(uint32_t stack)
{
    vmdg_place_t place;
    size_t n;
    void *const *pcs = vmdg_stack(stack, &n, &place);
    for (size_t i = 0; pcs != NULL && i < n; i++)
        if ((uintptr_t)pcs[i] == vmdg_options.failsite || (uintptr_t)pcs[i] - 1 == vmdg_options.failsite)
            return 1;
    return 0;
}

static int chosen(size_t n, uint32_t stack)
{
    const vmdg_options_t *o = &vmdg_options;
    if (n == o->failnth || (o->failevery != 0 && n % o->failevery == 0))
        return 1;
    if (o->failpart != 0 && vmb_mix(n + o->failseed * 0x9e3779b97f4a7c15u) % 1000000 < o->failpart)
        return 1;
    return o->failsite != 0 && bysite(stack);
}

int vmdg_fail(void)
{
    uint32_t stack;
    size_t n;
    if (vmdg_self.inside)
        return 0;
    n = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    stack = vmdg_here();
    if (!chosen(n, stack))
        return 0;
    __atomic_store_n(&last, stack, __ATOMIC_RELAXED);
    vmb_fault("fail: allocation %zu gets no memory", n);
    errno = ENOMEM;
    return 1;
}

uint32_t vmdg_failed(void)
{
    return __atomic_load_n(&last, __ATOMIC_RELAXED);
}
