/* SPDX-License-Identifier: MIT */
/* What the cases share. */
#include "contract.h"

void ct_open(ct_t *t)
{
    t->vm = vmopen(t->disc, t->meth, t->flags);
    CHECK(t->vm != NULL);
    CHECK(t->vm->disc == t->disc);
    CHECK(vmdbcheck(t->vm) == 0);
}

void ct_close(ct_t *t)
{
    CHECK(vmdbcheck(t->vm) == 0);
    if (t->chk)
        CHECK(t->chk->error[0] == 0);
    KEEPS_ERRNO(CHECK(vmclose(t->vm) == 0));
    t->vm = NULL;
    if (t->chk)
        CHECK(t->chk->nsegs == 0);
}

void ct_openchk(ct_t *t, chk_t *chk)
{
    t->chk = chk;
    t->disc = &chk->disc;
    ct_open(t);
}

void ct_closechk(ct_t *t)
{
    ct_close(t);
    CHECK(chk_done(t->chk) == NULL);
    free(t->chk);
    t->chk = NULL;
}

Vmstat_t ct_stat(Vmalloc_t *vm)
{
    Vmstat_t st;
    memset(&st, 0x7f, sizeof st);
    CHECK(vmstat(vm, &st) == 0);
    return st;
}

size_t ct_nbusy(Vmalloc_t *vm)
{
    return ct_stat(vm).n_busy;
}

size_t ct_sbusy(Vmalloc_t *vm)
{
    return ct_stat(vm).s_busy;
}

size_t ct_size(const ct_t *t, size_t size)
{
    return t->which == POOL ? t->psize : size;
}

void *ct_one(ct_t *t, size_t size, uint64_t id)
{
    void *p;
    size = ct_size(t, size);
    p = vmalloc(t->vm, size);
    CHECK(p != NULL);
    CHECK((uintptr_t)p % VM_ALIGN == 0);
    pat_fill(p, 0, size, id);
    return p;
}

void ct_same(const void *p, size_t size, uint64_t id)
{
    CHECK(pat_differs(p, size, id) == size);
}
