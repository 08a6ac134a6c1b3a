/* SPDX-License-Identifier: MIT */
/* Disciplines written as positional initialisers of each generation; prototypes through _ARG_. */
#include "terror.h"

_BEGIN_EXTERNS_
static Void_t *getmemory _ARG_((Vmalloc_t *, Void_t *, size_t, size_t, Vmdisc_t *));
_END_EXTERNS_

static Void_t *getmemory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    (void)vm;
    (void)disc;
    if (csize == 0)
        return malloc(nsize);
    if (nsize == 0)
        free(addr);
    return nsize == 0 ? addr : NIL(Void_t *);
}

static Vmdisc_t One = {getmemory};
static Vmdisc_t Three = {getmemory, NIL(Vmexcept_f), 127};
static Vmdisc_t Four = {getmemory, NIL(Vmexcept_f), 0, sizeof(Vmdisc_t)};

int main(void)
{
    Vmdisc_t *disc[3];
    Vmethod_t *meth[3];
    Vmalloc_t *vm;
    int i, k;
    disc[0] = &One;
    disc[1] = &Three;
    disc[2] = &Four;
    meth[0] = Vmbest;
    meth[1] = Vmlast;
    meth[2] = Vmpool;
    for (i = 0; i < 3; ++i)
        for (k = 0; k < 3; ++k) {
            tcheck((vm = vmopen(disc[i], meth[k], 0)) != 0);
            tcheck(vmnewof(vm, 0, long, 20, 0) != 0);
            tcheck(vmclose(vm) == 0);
        }
#if VMALLOC_VERSION < 20110808
#error the version is too old for those who ask
#endif
    return 0;
}
