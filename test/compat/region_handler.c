/* SPDX-License-Identifier: MIT */
/* A shell sets its handler in the discipline that Vmregion already has, and asks if malloc is busy. */
#include "terror.h"

static int Nomem, Busy;

static int except(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    (void)obj;
    (void)disc;
    switch (type) {
    case VM_NOMEM:
        Nomem++;
        Busy |= vmlocked(vm);
        return 0;
    case VM_BADADDR:
        return 0;
    }
    return 0;
}

int main(void)
{
    Vmexcept_f old = vmdisc(Vmregion, 0)->exceptf;
    vmdisc(Vmregion, 0)->exceptf = except;
    tcheck(vmdisc(Vmregion, 0) == Vmdcsystem);
    while (vmalloc(Vmregion, (size_t)-1 / 2 - (1 << 20)) != 0)
        continue; /* 32 bits have room for one */
    tcheck(Nomem >= 1 && !Busy);
    tcheck(vmstat(Vmregion, 0) == 0 && vmstat(0, 0) == 0);
    vmdisc(Vmregion, 0)->exceptf = old;
    return 0;
}
