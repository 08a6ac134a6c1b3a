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
 *   hidden  | filling | no access | filling |     a large block that had no guard, and was freed
 *
 * Filling a large freed block and looking at it later would take longer, and reads would go unseen.
 *
 * Cost: two or three system calls for a block, a page or two, and a page fault.
 */
#include "plain.h"
#include "os_debug.h"

#include <errno.h>

#define HIDDEN 4096 /* blocks that hide their pages at most: each may be two mappings more */

static size_t nguards, nhidden; /* how many blocks have one, or hide their pages */

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

/* Memory of the system that is this process' alone: images are written from the pages as they are. */
static int isown(Vmalloc_t *vm)
{
    unsigned int flags = vmr_dcflags(vm);
    return vmmt_under(vm)->meth == VM_MTBEST && flags & VM_DCRESERVE && !(flags & (VM_DCKEPT | VM_DCSHARED));
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
    if (vmdg_options.level == VMDG_FENCE || align > vmos_pagesize() || !isown(vm))
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

/* By a mapping of its own.  Large freed blocks always, since there are few: guards in page tables take time for
 * each page, and so does getting pages back that were dropped. */
static int veil(char *p, size_t size, int drop)
{
    int keep = errno, r;
    if (drop)
        vmos_purge(p, size);
    r = vmos_protect(p, size);
    errno = keep;
    return r;
}

static void unveil(char *p, size_t size)
{
    int keep = errno;
    vmos_unprotect(p, size);
    errno = keep;
}

static int forbid(char *p, size_t size)
{
    int keep = errno, r;
    if (!vmos_guards())
        return veil(p, size, 1);
    r = vmos_guard(p, size);
    errno = keep;
    return r;
}

static void allow(char *p, size_t size)
{
    int keep = errno;
    if (!vmos_guards()) {
        unveil(p, size);
        return;
    }
    vmos_unguard(p, size);
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

void vmdg_guard_undo(char *base, size_t size, int side)
{
    allow(base, size);
    vmdg_guard_gone(side);
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

void vmdg_guard_hidden(const char *p, size_t size, char **from, char **end)
{
    *from = (char *)VMB_UP((uintptr_t)p, vmos_pagesize());
    *end = (char *)VMB_DOWN((uintptr_t)p + size, vmos_pagesize());
}

/* Only where faults are caught: else reading such a block would end the process without a word.  The mark comes
 * first: who runs into the pages is to find it. */
int vmdg_guard_hide(Vmalloc_t *vm, vmdg_desc_t *d)
{
    const uint64_t mark = (uint64_t)VMDG_HIDDEN << VMDG_GUARDSHIFT;
    char *p = vmdg_addr(d), *from, *end;
    size_t size = vmdg_sizeof(vmdg_what(d));
    if (__atomic_load_n(&vmdg_catching, __ATOMIC_RELAXED) <= 0 || !isown(vm))
        return -1;
    if (__atomic_load_n(&nhidden, __ATOMIC_RELAXED) >= HIDDEN)
        return -1;
    vmdg_guard_hidden(p, size, &from, &end);
    if (from >= end)
        return -1;
    __atomic_fetch_or(&d->what, mark, __ATOMIC_RELEASE);
    if (veil(from, (size_t)(end - from), size >= VMDG_HUGE) != 0) {
        __atomic_fetch_and(&d->what, ~mark, __ATOMIC_RELEASE);
        return -1;
    }
    __atomic_fetch_add(&nhidden, 1, __ATOMIC_RELAXED);
    vmdg_fill_freed(p, (size_t)(from - p));
    vmdg_fill_freed(end, (size_t)(p + size - end));
    return 0;
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
    char *base, *end;
    size_t n;
    if (side == VMDG_HIDDEN) {
        vmdg_guard_hidden(vmdg_addr(d), vmdg_sizeof(vmdg_what(d)), &base, &end);
        unveil(base, (size_t)(end - base));
        return;
    }
    base = vmdg_guard_base(vmdg_addr(d), side);
    n = whole(vm, base);
    if (n != 0)
        allow(base, n);
}

void vmdg_guard_gone(int side)
{
    __atomic_fetch_sub(side == VMDG_HIDDEN ? &nhidden : &nguards, 1, __ATOMIC_RELAXED);
}
