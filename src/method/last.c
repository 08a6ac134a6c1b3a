/* SPDX-License-Identifier: MIT */
/*
 * Vmlast: build and drop whole.  Blocks lie one behind another without headers, and only the last
 * one can be freed or resized in place; others can move.
 *
 * Allocating moves the cursor and stores a byte of the map: about twenty instructions, no lock, no
 * atomic read-modify-write.  That holds with VM_SINGLE, and as long as only one thread moves the
 * cursor of a region: the first one to come owns the cursor (private.h).  When another one comes,
 * nobody owns it any more and all take the lock, until the region is cleared.
 *
 * Costs: vmfree() of the last block and vmresize() of it in place as vmalloc(); vmclear(),
 * vmclose() and vmrelease() nothing for a block, a few instructions for a segment; vmaddr(),
 * vmsize() and vmresize() of an earlier block a look at the map.
 */
#include "last.h"
#include "over.h"
#include "method_tables.h"

/* ---- the region's lock and its owner ---- */

/* What busy was left at says nothing once the cursor moves otherwise. */
uintptr_t vmla_hold(vmla_t *st)
{
    uintptr_t owner = vmm_shut(&st->own);

    if (owner != 0 && owner != vmos_self())
        vmla_wait(st);
    vmm_done(&st->own);
    return owner;
}

int vmla_left(vmla_t *st)
{
    if (!vmm_belongs(&st->own) || !vmla_inside(st))
        return 0;
    vmm_done(&st->own);
    return 1;
}

void vmla_takeover(vmla_t *st)
{
    uintptr_t owner = vmla_hold(st);

    if (owner != 0 && owner != vmos_self())
        st->may = 0;
}

vmla_t *vmla_enter(Vmalloc_t *vm, int local)
{
    vmla_t *st = vmr_state(vm);

    if (!local)
        vmr_lock(vm);
    vmla_log(st, st, sizeof *st);
    vmla_takeover(st);
    if (st->may)
        vmm_give(&st->own, vmos_self());
    return st;
}

/* ---- allocation ---- */

/* A block of no bytes has one all the same, and that is 0, as it would be new to vmresize(). */
void *vmla_alloc(Vmalloc_t *vm, size_t size)
{
    size_t n = vmla_round(size | !size);
    char *p;

    if (n == 0) {
        errno = ENOMEM;
        return NULL;
    }
    if (vmla_room(vm, n, VM_ALIGN) < 0)
        return NULL;
    p = vmla_cut(vmr_state(vm), size | !size);
    if (size == 0)
        *p = 0;
    return p;
}

/* p, if it is one, goes to the program. */
static void *gave(Vmalloc_t *vm, void *p)
{
    if (p != NULL && vmr_shared(vm))
        vmr_gave(vm, p);
    return p;
}

static VMOS_NOINLINE Void_t *allocslow(Vmalloc_t *vm, size_t size, int local)
{
    void *p;

    vmla_enter(vm, local);
    p = gave(vm, vmla_alloc(vm, size));
    vmla_leave(vm, local);
    return p;
}

static Void_t *alloc(Vmalloc_t *vm, size_t size, int local)
{
    vmla_t *st = vmr_state(vm);

    if (VMOS_LIKELY(vmla_mine(st, vmos_self()))) {
        void *p = vmla_bump(st, size);
        if (VMOS_LIKELY(p != NULL))
            return p;
        vmm_done(&st->own);
    }
    return allocslow(vm, size, local);
}

static Void_t *alloc1(Vmalloc_t *vm, size_t size, int local)
{
    void *p = vmla_bump(vmr_state(vm), size);

    return VMOS_LIKELY(p != NULL) ? p : allocslow(vm, size, local);
}

/* Cut a hole at the cursor. */
static void addhole(vmla_t *st, size_t size)
{
    char *p = st->next;

    vmla_cut(st, size);
    *vmla_code(st->map, p) ^= VMLA_STARTS | VMLA_ISHOLE;
    st->nbusy--;
    st->nhole++;
    st->hole += size;
}

static void *alignat(Vmalloc_t *vm, size_t size, size_t align)
{
    vmla_t *st = vmr_state(vm);
    size_t n = vmla_round(size), off;

    if (n == 0 || align == 0) {
        errno = ENOMEM;
        return NULL;
    }
    if (vmla_room(vm, n, align) < 0)
        return NULL;
    off = (uintptr_t)st->next % align;
    if (off != 0)
        addhole(st, align - off);
    return vmla_cut(st, size);
}

static Void_t *align(Vmalloc_t *vm, size_t size, size_t al, int local)
{
    void *p;

    if (size == 0 || al == 0) {
        errno = EINVAL;
        return NULL;
    }
    vmla_enter(vm, local);
    p = gave(vm, alignat(vm, size, vmb_lcm(al, VM_ALIGN)));
    vmla_leave(vm, local);
    return p;
}

/* ---- freeing ---- */

/* Holes at the end of the current part go, if they came after the newest mark. */
static void cutholes(vmla_t *st)
{
    while (st->nhole > 0 && st->next > st->cur->base) {
        char *p = vmla_startof(st->cur, st->next - 1);
        if (!vmla_ishole(st->cur, p) || (st->mark != NULL && vmla_before(st->mark, st->cur, p)))
            return;
        st->nhole--;
        st->hole -= (size_t)(st->next - p);
        vmla_uncut(st, p);
    }
}

/* What popping the last block leaves to do besides, seldom. */
static VMOS_NOINLINE void tidy(Vmalloc_t *vm)
{
    vmla_t *st = vmr_state(vm);

    cutholes(st);
    if (st->nbusy == 0)
        vmla_reset(vm, NULL);
}

/* Whether tidy() would do anything once the last block is gone. */
VMOS_INLINE int untidy(const vmla_t *st)
{
    return st->nhole > 0 || (st->nbusy == 0 && st->top->below != NULL);
}

/* Free the last block; -1: it is not the last. */
static int popaddr(Vmalloc_t *vm, char *p)
{
    vmla_t *st = vmr_state(vm);

    if (p != st->last)
        return -1;
    if (vmr_shared(vm))
        vmr_took(vm, p);
    if (p == (char *)st->mark)
        st->mark = st->mark->prev;
    vmla_uncut(st, p);
    st->last = NULL;
    st->nbusy--;
    if (untidy(st))
        tidy(vm);
    return 0;
}

static VMOS_NOINLINE int freeslow(Vmalloc_t *vm, Void_t *addr, int local)
{
    int r;

    if (addr == NULL)
        return 0;
    vmla_enter(vm, local);
    r = popaddr(vm, addr);
    vmla_leave(vm, local);
    return r == 0 ? 0 : vmm_bad(vm, addr, local);
}

/* The common case of popaddr().  -1: it is not that. */
VMOS_INLINE int popfast(vmla_t *st, char *p)
{
    unsigned char *code;

    if (VMOS_UNLIKELY(p != st->last || p == NULL || p == (char *)st->mark || st->nhole > 0))
        return -1;
    code = vmla_code(st->map, p);
    if (VMOS_UNLIKELY((*code & VMLA_ISBIG) || (st->nbusy == 1 && st->top->below != NULL)))
        return -1;
    st->last = NULL; /* in this order for those who leave by longjmp() */
    __atomic_signal_fence(__ATOMIC_RELEASE);
    st->next = p;
    __atomic_signal_fence(__ATOMIC_RELEASE);
    *code = 0;
    st->nbusy--;
    return 0;
}

static int freeb(Vmalloc_t *vm, Void_t *addr, int local)
{
    vmla_t *st = vmr_state(vm);

    if (VMOS_LIKELY(vmm_mine(&st->own, vmos_self()))) {
        int r = popfast(st, addr);
        vmm_done(&st->own);
        if (VMOS_LIKELY(r == 0))
            return 0;
    }
    return freeslow(vm, addr, local);
}

static int freeb1(Vmalloc_t *vm, Void_t *addr, int local)
{
    return VMOS_LIKELY(popfast(vmr_state(vm), addr) == 0) ? 0 : freeslow(vm, addr, local);
}

/* ---- resizing ---- */

/* -1: not without looking. */
VMOS_INLINE int resizefast(vmla_t *st, char *p, size_t size, int type)
{
    size_t n = vmla_round(size), old;
    unsigned char *code;

    if (VMOS_UNLIKELY(p != st->last || p == NULL || p == (char *)st->mark ||
                      n - 1 >= (size_t)(st->end - p)))
        return -1;
    code = vmla_code(st->map, p);
    if (VMOS_UNLIKELY(*code & VMLA_ISBIG))
        return -1;
    old = vmla_asked(st->map, p, (size_t)(st->next - p));
    if ((type & VM_RSZERO) && size > old)
        memset(p + old, 0, size - old);
    *code = (unsigned char)(VMLA_STARTS | (size & (VM_ALIGN - 1)));
    st->next = p + n;
    vmla_note(st, n);
    return 0;
}

/* The block at p moved: what is left is a hole, or free if it was the end of its part. */
static void leavehole(vmla_t *st, vmla_part_t *part, char *p, size_t size)
{
    unsigned char *code;
    vmla_mark_t *m;

    st->nbusy--;
    if (part != st->cur && part->fill == p + size &&
        (st->mark == NULL || !vmla_before(st->mark, part, p))) {
        vmla_setfill(st, part, p);
        st->used -= size;
        return;
    }
    code = vmla_code(vmla_mapof(part), p);
    vmla_log(st, code, 1);
    *code = (unsigned char)(VMLA_ISHOLE | (*code & VMLA_ISBIG));
    st->nhole++;
    st->hole += size;
    for (m = st->mark; m != NULL; m = m->prev)
        if (vmla_before(m, part, p)) {
            vmla_log(st, m, sizeof *m);
            m->nbusy--;
            m->nhole++;
            m->hole += size;
        }
}

/* Move the block of n bytes at p. */
static void *move(Vmalloc_t *vm, vmla_part_t *part, char *p, size_t n, size_t size, int type)
{
    size_t old = vmla_asked(vmla_mapof(part), p, n);
    char *q = gave(vm, vmla_alloc(vm, size));

    if (q == NULL)
        return NULL;
    if (vmr_shared(vm))
        vmr_took(vm, p);
    if ((type & VM_RSCOPY) || old == 1) /* one byte may be none, which has to be 0: vmla_alloc() */
        memcpy(q, p, VMB_MIN(old, size));
    if ((type & VM_RSZERO) && size > old)
        memset(q + old, 0, size - old);
    leavehole(vmr_state(vm), part, p, n);
    return q;
}

/* Resize the last block where it is.  -1: no room. */
static int resizelast(Vmalloc_t *vm, size_t size, int type)
{
    vmla_t *st = vmr_state(vm);
    size_t old = vmla_asked(st->map, st->last, (size_t)(st->next - st->last));

    if (vmla_round(size) == 0 || vmla_roomlast(vm, vmla_round(size)) < 0)
        return -1;
    vmla_setlast(st, size);
    if ((type & VM_RSZERO) && size > old)
        memset(st->last + old, 0, size - old);
    return 0;
}

static int ismark(const vmla_t *st, const char *p)
{
    const vmla_mark_t *m = st->mark;

    while (m != NULL && p != (const char *)m)
        m = m->prev;
    return m != NULL;
}

/* Resize a block, with the region entered.  *known: whether p is one. */
static void *resizeat(Vmalloc_t *vm, char *p, size_t size, int type, int *known)
{
    vmla_t *st = vmr_state(vm);
    vmla_part_t *part = vmla_partof(vm, p);

    *known = part != NULL && vmla_isblock(part, p) && !ismark(st, p);
    if (!*known)
        return NULL;
    if (p == st->last && resizelast(vm, size, type) == 0)
        return p;
    if (type & (VM_RSMOVE | VM_RSCOPY))
        return move(vm, part, p, (size_t)(vmla_endof(part, p, vmla_fill(st, part)) - p), size,
                    type);
    errno = ENOMEM;
    return NULL;
}

static VMOS_NOINLINE Void_t *resizeslow(Vmalloc_t *vm, Void_t *addr, size_t size, int type,
                                        int local)
{
    int known, e = errno;
    void *p;

    if (addr == NULL) {
        p = alloc(vm, size, local);
        return p != NULL && (type & VM_RSZERO) ? memset(p, 0, size) : p;
    }
    if (size == 0) {
        freeb(vm, addr, local);
        return NULL;
    }
    vmla_enter(vm, local);
    p = resizeat(vm, addr, size, type, &known);
    vmla_leave(vm, local);
    if (!known)
        vmm_bad(vm, addr, local);
    else if (p != NULL)
        errno = e;
    return p;
}

static Void_t *resize(Vmalloc_t *vm, Void_t *addr, size_t size, int type, int local)
{
    vmla_t *st = vmr_state(vm);

    if (VMOS_LIKELY(vmm_mine(&st->own, vmos_self()))) {
        int r = resizefast(st, addr, size, type);
        vmm_done(&st->own);
        if (VMOS_LIKELY(r == 0))
            return addr;
    }
    return resizeslow(vm, addr, size, type, local);
}

static Void_t *resize1(Vmalloc_t *vm, Void_t *addr, size_t size, int type, int local)
{
    if (VMOS_LIKELY(resizefast(vmr_state(vm), addr, size, type) == 0))
        return addr;
    return resizeslow(vm, addr, size, type, local);
}

const void *vmmt_lastblock(Vmalloc_t *vm)
{
    const vmla_t *st = vmr_state(vm);

    return __atomic_load_n(&st->last, __ATOMIC_RELAXED);
}

/* ---- the region as a whole ---- */

static int compact(Vmalloc_t *vm, int local)
{
    vmla_t *st = vmr_state(vm);
    uintptr_t owner;
    int e = errno;

    if (!local)
        vmr_lock(vm);
    vmla_log(st, st, sizeof *st);
    owner = vmla_hold(st);
    vmla_compact(vm);
    if (owner == vmos_self()) /* another one may be about to say where it works, with a cursor that was */
        vmm_give(&st->own, owner);
    vmla_leave(vm, local);
    errno = e;
    return 0;
}

/* Who may use the region, now that it is new or empty or was found again. */
static void settle(Vmalloc_t *vm)
{
    vmla_t *st = vmr_state(vm);
    int single = vm->data->mode & VM_SINGLE;

    st->log = vm->data->log;
    vmm_forget(&st->own);
    st->may = !single && vmm_private(vm);
    if (single && !vmmt_fixed(vm)) {
        vm->meth.allocf = alloc1;
        vm->meth.freef = freeb1;
        vm->meth.resizef = resize1;
    }
}

static int open(Vmalloc_t *vm, Vmseg_t *root)
{
    if (vmla_newpart(vmr_state(vm), root) == NULL)
        return -1;
    settle(vm);
    vmla_reset(vm, NULL);
    return 0;
}

static int event(Vmalloc_t *vm, int ev, Void_t *arg)
{
    vmla_t *st = vmr_state(vm);

    switch (ev) {
    case VM_METHOPEN:
        return open(vm, arg);
    case VM_METHATTACH:
        if (!vmr_shared(vm)) /* else nothing in it is of one process */
            settle(vm);
        break;
    case VM_METHCLEAR:
        vmla_hold(st);
        vmla_reset(vm, NULL);
        settle(vm);
        break;
    case VM_METHFORK:
        vmla_forked(vm);
        break;
    case VM_METHTORN:
        vmla_torn(vm);
        break;
    case VM_METHJUMP:
        if (vmla_left(st)) {
            vmr_lock(vm);
            vmla_torn(vm);
            vmr_unlock(vm);
        }
        break;
    case VM_METHEXIT:
        if (vmm_owner(&st->own) == (uintptr_t)arg)
            vmm_give(&st->own, 0);
        break;
    case VM_METHMOVE:
        return vmla_move(vm, arg);
    default:
        break;
    }
    return 0;
}

static const Vmethodx_t more = {"last", sizeof(vmla_t), 1024, event, vmla_stat, vmla_walk,
                                vmla_check};

Vmethod_t vmmt_last = {alloc,   resize, freeb,     vmla_addr, vmla_size,
                       compact, align,  VM_MTLAST, &more};
