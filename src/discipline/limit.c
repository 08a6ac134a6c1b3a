/* SPDX-License-Identifier: MIT */
/*
 * vmdclimit(): a quota on another discipline, shared by all regions opened on it.
 *
 *   word   | told |............ bytes held ............|        told: the top bit
 *
 * Invariants: bytes are taken before `under` is asked and given back when it refuses, so the total
 * never passes hard, whatever threads do at once; told is set by the one request that finds the
 * total beyond soft first, and cleared when the total falls below soft.  Both lie in one word, so
 * that a crossing is told once.  Cost: one compare-and-swap or two a request.
 */
#include "request.h"
#include "under.h"
#include <errno.h>
#include <stdint.h>

#define TOLD       (SIZE_MAX / 2 + 1)
#define HELD(word) ((word) & ~TOLD)

typedef struct limit {
    vmdc_made_t made;
    size_t soft, hard;
    size_t word;
    Vmwarn_f warnf;
    Void_t *arg;
} limit_t;

static int swap(limit_t *l, size_t *old, size_t new)
{
    return __atomic_compare_exchange_n(&l->word, old, new, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static int take(limit_t *l, size_t size)
{
    size_t old = __atomic_load_n(&l->word, __ATOMIC_ACQUIRE);

    do {
        if (HELD(old) > l->hard || size > l->hard - HELD(old))
            return -1;
    } while (!swap(l, &old, old + size));
    return 0;
}

/* A region that was found again (VM_OPEN > 0) releases what was never taken here: stop at 0. */
static void give(limit_t *l, size_t size)
{
    size_t old = __atomic_load_n(&l->word, __ATOMIC_ACQUIRE), held;

    do {
        held = HELD(old) > size ? HELD(old) - size : 0;
    } while (!swap(l, &old, held < l->soft ? held : held | (old & TOLD)));
}

static void tell(limit_t *l)
{
    size_t old = __atomic_load_n(&l->word, __ATOMIC_ACQUIRE);

    do {
        if (l->soft == 0 || HELD(old) <= l->soft || (old & TOLD))
            return;
    } while (!swap(l, &old, old | TOLD));
    if (l->warnf)
        (*l->warnf)(&l->made.more.disc, HELD(old), l->arg);
}

static Void_t *memory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    limit_t *l = (limit_t *)disc;
    vmdc_request_t request = vmdc_request(addr, csize, nsize);
    int more = request == VMDC_GET || request == VMDC_GROW;
    Void_t *seg;

    if (request == VMDC_NONE)
        return NULL;
    if (more && take(l, nsize - csize) < 0) {
        errno = ENOMEM;
        return NULL;
    }
    seg = vmdc_pass(vm, addr, csize, nsize, disc);
    if (more && seg)
        tell(l);
    else if (more)
        give(l, nsize - csize);
    else if (seg)
        give(l, csize - nsize);
    return seg;
}

Vmdisc_t *vmdclimit(Vmdisc_t *under, size_t soft, size_t hard, Vmwarn_f warnf, Void_t *arg)
{
    limit_t *l = vmdc_stack(under, sizeof *l, memory);

    if (l == NULL)
        return NULL;
    l->soft = soft;
    l->hard = VMB_MIN(hard, TOLD - 1);
    l->warnf = warnf;
    l->arg = arg;
    return &l->made.more.disc;
}

size_t vmdclimited(Vmdisc_t *disc)
{
    limit_t *l = vmdc_made(disc, memory);

    return l ? HELD(__atomic_load_n(&l->word, __ATOMIC_ACQUIRE)) : 0;
}
