/* SPDX-License-Identifier: MIT */
/*
 * guard: blocks against a page that cannot be accessed.
 *
 *   above   | base: fence | block | fence up to the page | no access |     errors behind stop at once
 *   below   | no access | block | fence | ...            |             errors before it stop
 *
 * Each is a block of whole pages of the lower method.  Freed, all its pages are without access until
 * it leaves quarantine; that costs no memory, for what they held is dropped.  Where the kernel has
 * guards in page tables there may be any number; else each is a mapping of its own, and when half
 * of what the system allows is used up, blocks get fences only.  That is also so in regions whose memory
 * is not the system's plain one.
 *
 * Cost: two or three system calls for a block, a page or two, and a page fault.
 */
#include "plain.h"
#include "os_debug.h"

#include <errno.h>

static size_t nguards; /* how many blocks have one */

/* ---- whether ---- */

static size_t most(void)
{
    static size_t known;
    if (known == 0) {
        size_t n = vmos_maxmappings();
        known = n > 8192 ? n / 2 - 2048 : 1;
    }
    return known;
}

static VMOS_COLD void tellnone(const char *what)
{
    static int told;
    if (!__atomic_exchange_n(&told, 1, __ATOMIC_RELAXED))
        vmb_fault("guard: %s", what);
}

/* By chance, on average one in so many; the distance to the next one is kept. */
int vmdg_sample_due(unsigned weight)
{
    vmdg_self_t *me = &vmdg_self;
    int due = me->skip != 0;
    if (VMOS_LIKELY(me->skip > weight)) {
        me->skip -= weight;
        return 0;
    }
    vmdg_thisthread();
    me->random = vmb_mix(me->random + 0x9e3779b97f4a7c15u);
    me->skip = 1 + (uint32_t)vmb_mulhi(me->random, 2 * (uint64_t)vmdg_options.sample);
    return due; /* not the first allocation of each thread */
}

int vmdg_guard_wanted(Vmalloc_t *vm, size_t align)
{
    if (vmdg_options.level == VMDG_FENCE || vmmt_under(vm)->meth != VM_MTBEST ||
        align > vmos_pagesize() || !(vmr_dcflags(vm) & VM_DCRESERVE))
        return 0;
    if (vmdg_options.level == VMDG_SAMPLE && !vmdg_of(vm)->always && !vmdg_sample_due(1))
        return 0;
    if (vmos_guards())
        return 1;
    if (__atomic_load_n(&nguards, __ATOMIC_RELAXED) < most())
        return 1;
    tellnone("too many for this kernel: further blocks have fences only");
    return 0;
}

/* ---- access ---- */

static int forbid(char *p, size_t size)
{
    int keep = errno, r;
    if (vmos_guards()) {
        r = vmos_guard(p, size);
    } else {
        vmos_purge(p, size);
        r = vmos_protect(p, size);
    }
    errno = keep;
    return r;
}

static void allow(char *p, size_t size)
{
    int keep = errno;
    if (vmos_guards())
        vmos_unguard(p, size);
    else
        vmos_unprotect(p, size);
    errno = keep;
}

/* ---- blocks ---- */

static int sideof(uint32_t stack)
{
    int below = vmdg_options.below;
    if (below == 2)
        below = (int)(vmb_mix(stack) & 1);
    return below ? VMDG_BELOW : VMDG_ABOVE;
}

/* Pages of the block and its fences, without the one that cannot be accessed. */
static size_t pagesfor(size_t size, size_t align, int side)
{
    size_t n = side == VMDG_ABOVE ? VMB_UP(size, align) + VMDG_FRONT : vmdg_need(size, 0);
    return VMB_UP(n, vmos_pagesize());
}

char *vmdg_guard_make(Vmalloc_t *vm, size_t size, size_t align, uint32_t stack, int local,
                      vmdg_guarded_t *g)
{
    size_t page = vmos_pagesize(), n;
    align = VMB_MAX(align, VM_ALIGN);
    g->side = sideof(stack);
    n = pagesfor(size, align, g->side);
    g->base = (*vmmt_under(vm)->alignf)(vm, n + page, page, local);
    g->size = n + page;
    if (g->base == NULL)
        return NULL;
    __atomic_fetch_add(&nguards, 1, __ATOMIC_RELAXED);
    if (forbid(g->side == VMDG_ABOVE ? g->base + n : g->base, page) == 0)
        return g->side == VMDG_ABOVE ? g->base + n - VMB_UP(size, align) : g->base + page;
    __atomic_fetch_sub(&nguards, 1, __ATOMIC_RELAXED);
    (*vmmt_under(vm)->freef)(vm, g->base, local);
    tellnone("the system refused: such blocks have fences only");
    return NULL;
}

char *vmdg_guard_base(const char *p, int side)
{
    size_t page = vmos_pagesize();
    uintptr_t a = side == VMDG_ABOVE ? VMB_DOWN(p - VMDG_FRONT, page) : (uintptr_t)p - page;
    return (char *)a;
}

/* The whole block of the lower method, in pages.  The region is locked when it is cleared or closed. */
static size_t whole(Vmalloc_t *vm, char *base)
{
    long n = (*vmmt_under(vm)->sizef)(vm, base, vmos_lockedbyme(&vm->data->lock));
    return n > 0 ? VMB_DOWN((size_t)n, vmos_pagesize()) : 0;
}

void vmdg_guard_freed(Vmalloc_t *vm, const vmdg_desc_t *d, int side)
{
    char *base = vmdg_guard_base(vmdg_addr(d), side);
    size_t n = whole(vm, base);
    if (n != 0)
        forbid(base, n);
}

void vmdg_guard_lift(Vmalloc_t *vm, const vmdg_desc_t *d, int side)
{
    char *base = vmdg_guard_base(vmdg_addr(d), side);
    size_t n = whole(vm, base);
    if (n != 0)
        allow(base, n);
}

void vmdg_guard_gone(void)
{
    __atomic_fetch_sub(&nguards, 1, __ATOMIC_RELAXED);
}
