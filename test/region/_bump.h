/* SPDX-License-Identifier: MIT */
/*
 * For the tests of the region room: a method that is as simple as can be, and tells what it hears.
 *
 *   | size | block ... | size | block ... |   at ->          end
 *
 * Blocks are cut one behind the other and never used again.
 */
#ifndef TEST_REGION_BUMP_H
#define TEST_REGION_BUMP_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "parts.h"
#include "support/checking.h"

typedef struct bump {
    char *at, *end;
    size_t blocks, bytes;
    void *arg; /* of the last event */
    int events[VM_METHEXIT + 1];
} bump_t;

static int bump_fail;    /* event that fails */
static int bump_closed;  /* VM_METHCLOSE, over all regions */
static int bump_torn;    /* VM_METHTORN */
static int bump_faults;  /* what checkf finds */
static __thread vmr_place_t bump_place; /* that the last call found */

static inline bump_t *bump_of(Vmalloc_t *vm)
{
    return (bump_t *)vmmtstate(vm);
}

static void bump_take(bump_t *b, Vmseg_t *seg)
{
    b->at = seg->base;
    b->end = seg->end;
}

static void *bump_cut(Vmalloc_t *vm, size_t size, size_t align)
{
    bump_t *b = bump_of(vm);
    char *oldend, *p;
    int again = 0, got;
    Vmseg_t *seg;

    if (size > SIZE_MAX / 2) {
        errno = ENOMEM;
        return NULL;
    }
    size = VMB_UP(size, VM_ALIGN);
    while ((p = (char *)VMB_UP(b->at + VM_ALIGN, align)) > b->end || size > (size_t)(b->end - p)) {
        got = vmmtextend(vm, size + VM_ALIGN + align, size + VM_ALIGN + align, &seg, &oldend, &again);
        if (got == VM_EXTFAIL)
            return NULL;
        if (got == VM_EXTNEW)
            bump_take(b, seg);
        else if (got == VM_EXTGROWN && b->end == oldend)
            b->end = seg->end;
    }
    ((size_t *)(void *)p)[-1] = size;
    b->at = p + size;
    b->blocks++;
    b->bytes += size;
    return p;
}

static void *bump_align(Vmalloc_t *vm, size_t size, size_t align, int local)
{
    void *p;

    bump_place = vmr_takeplace();
    if (!local)
        vmmtlock(vm);
    p = bump_cut(vm, size, align);
    if (!local)
        vmmtunlock(vm);
    return p;
}

static void *bump_alloc(Vmalloc_t *vm, size_t size, int local)
{
    return bump_align(vm, size, VM_ALIGN, local);
}

static long bump_size(Vmalloc_t *vm, void *addr, int local)
{
    (void)vm, (void)local;
    return (long)((size_t *)addr)[-1];
}

static long bump_addr(Vmalloc_t *vm, void *addr, int local)
{
    (void)vm, (void)addr, (void)local;
    return 0;
}

static int bump_free(Vmalloc_t *vm, void *addr, int local)
{
    bump_t *b = bump_of(vm);

    bump_place = vmr_takeplace();
    if (addr == NULL)
        return 0;
    if (!local && vmsegment(vm, addr) == NULL) {
        vmmtbadaddr(vm, addr);
        return -1;
    }
    b->blocks--;
    b->bytes -= ((size_t *)addr)[-1];
    return 0;
}

static void *bump_resize(Vmalloc_t *vm, void *addr, size_t size, int type, int local)
{
    size_t old = addr != NULL ? (size_t)bump_size(vm, addr, 1) : 0;
    char *p;

    if (addr != NULL && size == 0) {
        bump_free(vm, addr, local);
        return NULL;
    }
    if (addr != NULL && !(type & (VM_RSMOVE | VM_RSCOPY)))
        return NULL;
    p = (char *)bump_alloc(vm, size, local);
    if (p == NULL)
        return NULL;
    if (type & VM_RSZERO)
        memset(p, 0, size);
    if (old > 0 && type & VM_RSCOPY)
        memcpy(p, addr, VMB_MIN(old, size));
    return p;
}

static int bump_compact(Vmalloc_t *vm, int local)
{
    (void)vm, (void)local;
    return 0;
}

static int bump_event(Vmalloc_t *vm, int event, void *arg)
{
    bump_t *b = bump_of(vm);

    if (event == bump_fail) {
        errno = EIO;
        return -1;
    }
    b->events[event]++;
    b->arg = arg;
    __atomic_fetch_add(&bump_closed, event == VM_METHCLOSE, __ATOMIC_RELAXED);
    __atomic_fetch_add(&bump_torn, event == VM_METHTORN, __ATOMIC_RELAXED);
    if (event == VM_METHOPEN)
        bump_take(b, (Vmseg_t *)arg);
    if (event == VM_METHCLEAR) {
        bump_take(b, vmmtsegs(vm));
        b->blocks = b->bytes = 0;
    }
    return 0;
}

static int bump_stat(Vmalloc_t *vm, Vmstat_t *st)
{
    st->n_busy = bump_of(vm)->blocks;
    st->s_busy = bump_of(vm)->bytes;
    return 0;
}

static int bump_walk(Vmalloc_t *vm, Vmblock_f f, void *handle)
{
    bump_t *b = bump_of(vm);

    return (*f)(vm, b->at, (size_t)(b->end - b->at), 0, handle);
}

static int bump_check(Vmalloc_t *vm)
{
    int i;

    for (i = 0; i < bump_faults; i++)
        vmmtfault(vm, bump_of(vm)->at, "not as it should be");
    return bump_faults;
}

static const Vmethodx_t bump_more = {"bump",    sizeof(bump_t), 64, bump_event, bump_stat,
                                     bump_walk, bump_check};
static Vmethod_t bump_method __attribute__((unused)) = {
    bump_alloc, bump_resize,  bump_free,  bump_addr, bump_size,
    bump_compact, bump_align, VM_MTLAST, &bump_more};
#define BUMP (&bump_method)

/* A region on a new checking discipline, and its end. */
static inline Vmalloc_t *bump_open(chk_t **c, int flags)
{
    Vmalloc_t *vm;

    *c = chk_new(4096, CHK_MALLOC, CHK_REFUSE);
    vm = vmopen(&(*c)->disc, BUMP, flags);
    assert_non_null(vm);
    return vm;
}

static inline void bump_done(chk_t *c)
{
    const char *wrong = chk_done(c);

    if (wrong != NULL)
        fail_msg("%s", wrong);
    free(c);
}

static inline void bump_close(Vmalloc_t *vm, chk_t *c)
{
    assert_int_equal(vmclose(vm), 0);
    bump_done(c);
    assert_true(vmr_index_check() >= 0);
}

/* How many regions the list has. */
static inline int regions(void)
{
    Vmalloc_t *vm;
    int n = 0;

    vmos_lock(&vmr_listlock);
    for (vm = vmr_next(NULL); vm != NULL; vm = vmr_next(vm))
        n++;
    vmos_unlock(&vmr_listlock);
    return n;
}

#endif
