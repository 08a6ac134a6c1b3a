/* SPDX-License-Identifier: MIT */
/*
 * vmmark, vmrelease: note how far a region of Vmlast is filled, and go back to that.
 *
 * A mark is a block, of vmla_mark_t, in the list of marks that stand, newest first.  It stays after
 * vmrelease(), which can be repeated; then it is the last block, and vmfree() frees it.
 *
 * Cost: a few instructions for each mark and segment that came after.
 */
#include "last.h"

static int bad(int e)
{
    errno = e;
    return -1;
}

static int islast(const Vmalloc_t *vm)
{
    if (vm == NULL || !(vm->meth.meth & VM_MTLAST))
        return bad(vm == NULL ? EINVAL : ENOTSUP);
    return vm->data != NULL ? 0 : bad(EINVAL);
}

Void_t *vmmark(Vmalloc_t *vm)
{
    vmla_mark_t *m;
    vmla_t *st;

    if (islast(vm) < 0)
        return NULL;
    st = vmla_enter(vm, 0);
    vmr_hush();
    m = vmla_alloc(vm, sizeof *m);
    if (m != NULL) {
        vmos_own(m, sizeof *m);
        *m = (vmla_mark_t){st->mark,  st->cur,  st->top,   st->seq, NULL, NULL,
                           st->nbusy, st->used, st->nhole, st->hole};
        st->mark = m;
        st->spare = NULL; /* what comes from here on lies behind, or in parts that come */
    }
    vmr_unhush();
    vmla_leave(vm, 0);
    return m;
}

/* Everything as it was after m was made; m stands. */
static void goback(vmla_t *st, vmla_mark_t *m)
{
    st->mark = m;
    vmla_droptop(st, m->top);
    if (m->again != NULL)
        vmla_setfill(st, m->again, m->againfill);
    vmla_log(st, m, sizeof *m);
    m->again = NULL;
    st->nbusy = m->nbusy;
    st->used = m->used;
    st->nhole = m->nhole;
    st->hole = m->hole;
    vmla_setcur(st, m->part, (char *)m + vmla_round(sizeof *m));
    st->last = (char *)m;
}

int vmrelease(Vmalloc_t *vm, Void_t *mark)
{
    vmla_mark_t *m;
    vmla_t *st;

    if (islast(vm) < 0)
        return -1;
    st = vmla_enter(vm, 0);
    vmr_hush();
    for (m = st->mark; m != NULL && m != mark; m = m->prev)
        continue;
    if (m != NULL)
        goback(st, m);
    if (m != NULL && vmr_shared(vm))
        vmr_forgive(vm);
    vmr_unhush();
    vmla_leave(vm, 0);
    if (vmr_istold() && m != NULL)
        (*vmr_checker->releasedf)(vm);
    return m != NULL ? 0 : bad(EINVAL);
}
