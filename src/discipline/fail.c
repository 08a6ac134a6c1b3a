/* SPDX-License-Identifier: MIT */
/*
 * vmdcfail(): requests to another discipline fail by plan, to test what a program does then.
 *
 * Counted are requests for memory, new or grown; shrinking and releasing always pass.  The fate of
 * the n-th request depends on n, the settings and, for `bytes`, on what was granted before: the same
 * calls in the same order fail in the same places.  Cost: a few atomic additions a request.
 */
#include "request.h"
#include "under.h"
#include <errno.h>

typedef struct fail {
    vmdc_made_t made;
    size_t nth, bytes;
    int perthousand;
    unsigned long seed;
    size_t count;   /* requests since the settings were made */
    size_t granted; /* bytes since then */
} fail_t;

/* Uniform in 0..999, a function of seed and n. */
static int draw(unsigned long seed, size_t n)
{
    return (int)(vmb_mix(vmb_mix(seed) + n) % 1000);
}

static int planned(fail_t *f)
{
    size_t n = __atomic_add_fetch(&f->count, 1, __ATOMIC_RELAXED);
    size_t nth = __atomic_load_n(&f->nth, __ATOMIC_RELAXED);
    int perthousand = __atomic_load_n(&f->perthousand, __ATOMIC_RELAXED);

    return (nth && n >= nth) || draw(__atomic_load_n(&f->seed, __ATOMIC_RELAXED), n) < perthousand;
}

static int take(fail_t *f, size_t size)
{
    size_t bytes = __atomic_load_n(&f->bytes, __ATOMIC_RELAXED);
    size_t before = __atomic_fetch_add(&f->granted, size, __ATOMIC_RELAXED);

    if (bytes == 0 || (size <= bytes && before <= bytes - size))
        return 0;
    __atomic_fetch_sub(&f->granted, size, __ATOMIC_RELAXED);
    return -1;
}

static Void_t *memory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    fail_t *f = (fail_t *)disc;
    vmdc_request_t request = vmdc_request(addr, csize, nsize);
    Void_t *seg;

    if (request == VMDC_NONE)
        return NULL;
    if (request == VMDC_SHRINK || request == VMDC_RELEASE)
        return vmdc_pass(vm, addr, csize, nsize, disc);
    if (planned(f) || take(f, nsize - csize) < 0) {
        errno = ENOMEM;
        return NULL;
    }
    seg = vmdc_pass(vm, addr, csize, nsize, disc);
    if (seg == NULL)
        __atomic_fetch_sub(&f->granted, nsize - csize, __ATOMIC_RELAXED);
    return seg;
}

static void set(fail_t *f, size_t nth, size_t bytes, int perthousand, unsigned long seed)
{
    __atomic_store_n(&f->nth, nth, __ATOMIC_RELAXED);
    __atomic_store_n(&f->bytes, bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&f->perthousand, perthousand, __ATOMIC_RELAXED);
    __atomic_store_n(&f->seed, seed, __ATOMIC_RELAXED);
    __atomic_store_n(&f->count, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&f->granted, 0, __ATOMIC_RELAXED);
}

Vmdisc_t *vmdcfail(Vmdisc_t *under, size_t nth, size_t bytes, int perthousand, unsigned long seed)
{
    fail_t *f;

    if (perthousand < 0 || perthousand > 1000) {
        errno = EINVAL;
        return NULL;
    }
    f = vmdc_stack(under, sizeof *f, memory);
    if (f == NULL)
        return NULL;
    set(f, nth, bytes, perthousand, seed);
    return &f->made.more.disc;
}

int vmdcfailset(Vmdisc_t *disc, size_t nth, size_t bytes, int perthousand, unsigned long seed)
{
    fail_t *f = vmdc_made(disc, memory);

    if (f == NULL || perthousand < 0 || perthousand > 1000) {
        errno = EINVAL;
        return -1;
    }
    set(f, nth, bytes, perthousand, seed);
    return 0;
}

size_t vmdcfailcount(Vmdisc_t *disc)
{
    fail_t *f = vmdc_made(disc, memory);

    return f ? __atomic_load_n(&f->count, __ATOMIC_RELAXED) : 0;
}
