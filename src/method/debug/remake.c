/* SPDX-License-Identifier: MIT */
/*
 * remake: a block gets another size.  It moves whenever it may, so that old addresses show.
 *
 *   vmresize   growing moves where the type allows; shrinking keeps the address, as promised
 *   realloc    moves always
 */
#include "plain.h"

#include <errno.h>
#include <string.h>

static void *moved(Vmalloc_t *vm, char *p, size_t old, size_t size, int type, const vmdg_giving_t *g,
                   int local)
{
    vmdg_family_t family = g->family;
    int straight = !local && vmdg_of(vm)->seats, keep = errno, r;
    char *q = straight ? vmdg_make_straight(vm, vmdg_of(vm), size, 0, family) : NULL;
    size_t copy = type & VM_RSCOPY ? VMB_MIN(old, size) : 0;
    if (q == VMDG_TRIED || (q == NULL && (q = vmdg_make(vm, size, 0, 0, family, local)) == NULL))
        return NULL;
    memcpy(q, p, copy);
    if (type & VM_RSZERO && size > copy)
        memset(q + copy, 0, size - copy);
    if (!straight || vmdg_give_straight(vm, p, g, &r) != 0)
        vmdg_give(vm, p, g, local);
    errno = keep;
    return q;
}

/* The books and fences for the new size; the block is the caller's, but may be being checked. */
static void setsize(uint32_t id, size_t size)
{
    vmdg_desc_t *d = vmdg_desc(id);
    uint64_t old = vmdg_what(d);
    char *p = vmdg_addr(d);
    while (old & VMDG_BUSY ||
           !__atomic_compare_exchange_n(&d->what, &old, old | VMDG_BUSY, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED)) {
        vmdg_await(d);
        old = vmdg_what(d);
    }
    vmdg_fence_lay(p, size, vmdg_region_key(vmdg_regionof(d)), vmdg_guardof(old));
    __atomic_store_n(&d->what, (old & ~VMDG_SIZEMASK) | size, __ATOMIC_RELEASE);
}

static void *inplace(Vmalloc_t *vm, uint32_t id, size_t old, size_t size, int type, int local)
{
    vmdg_desc_t *d = vmdg_desc(id);
    size_t lead = vmdg_lead(d), n = vmdg_need(size, lead);
    char *p = vmdg_addr(d);
    if (size > old) {
        if (vmdg_guardof(vmdg_what(d)) != VMDG_NOGUARD || n == 0 || n > VMDG_SIZEMASK ||
            (*vmmt_under(vm)->resizef)(vm, p - lead, n, 0, local) != p - lead ||
            vmdg_index_use(p - lead, p - lead + n) < 0) {
            errno = ENOMEM;
            return NULL;
        }
        if (type & VM_RSZERO)
            memset(p + old, 0, size - old);
        else
            vmdg_fill_new(p + old, size - old);
    }
    setsize(id, size);
    return p;
}

void *vmdg_remake(Vmalloc_t *vm, void *p, size_t size, int type, int move, const vmdg_giving_t *g,
                  int local)
{
    uint32_t id = vmdg_live(vm, p);
    size_t old;
    void *q;
    if (id == 0) {
        vmdg_give(vm, p, g, local); /* which tells what is wrong */
        errno = EINVAL;
        return NULL;
    }
    old = vmdg_sizeof(vmdg_what(vmdg_desc(id)));
    if (VMOS_UNLIKELY(!vmdg_fitspool(vm, size)))
        return NULL;
    if (VMOS_UNLIKELY(vmr_watched(p)))
        vmdg_alert(id, "being resized");
    if (move || (size > old && type & (VM_RSCOPY | VM_RSMOVE) && !vmdg_of(vm)->single)) {
        q = moved(vm, p, old, size, type, g, local);
    } else {
        vmdg_tick(vmdg_op());
        vmdg_verify(id, g->when, g->call);
        q = inplace(vm, id, old, size, type, local);
        if (q == NULL && type & (VM_RSCOPY | VM_RSMOVE))
            q = moved(vm, p, old, size, type, g, local);
    }
    if (VMOS_UNLIKELY(q != NULL && vmr_watched(q)))
        vmdg_alert(vmdg_index_get(q), "just resized");
    return q;
}
