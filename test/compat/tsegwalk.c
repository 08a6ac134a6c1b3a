/* SPDX-License-Identifier: MIT */
/* The same walk under its later name, and a callback that ends it. */
#include "terror.h"

static int Granted, Seen, Stop;

static Void_t *memory(Vmalloc_t *vm, Void_t *caddr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    (void)vm;
    (void)disc;
    if (csize == 0) {
        Granted++;
        return malloc(nsize);
    }
    if (nsize == 0) {
        Granted--;
        free(caddr);
        return caddr;
    }
    return NIL(Void_t *);
}

static int except(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    (void)vm;
    (void)disc;
    if (type == VM_OPEN)
        *(Void_t **)obj = obj;
    return 0;
}

static Vmdisc_t Disc = {memory, except, 64 * 1024, sizeof(Vmdisc_t)};
static Vmdisc_t Plain = {memory, NIL(Vmexcept_f), 64 * 1024};

static int segment(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc, Void_t *handle)
{
    tcheck(vm && addr && size > 0 && handle == (Void_t *)&Seen);
    if (disc->memoryf == memory)
        Seen++;
    return Stop ? -5 : 0;
}

int main(void)
{
    Vmalloc_t *vm[4];
    int i, k;
    for (i = 0; i < 4; ++i) {
        tcheck((vm[i] = vmopen(i < 3 ? &Disc : &Plain, i == 1 ? Vmlast : Vmbest, 0)) != 0);
        tcheck((vmregion(vm[i]) == vm[i]) == (i < 3));
        for (k = 0; k < 10 * (i + 1); ++k)
            tcheck(vmalloc(vm[i], 16 * 1024) != 0);
    }
    tcheck(vmsegwalk(NIL(Vmalloc_t *), segment, &Seen) == 0);
    tcheck(Seen == Granted && Granted > 4);
    Stop = 1;
    tcheck(vmsegwalk(vm[3], segment, &Seen) == -5);
    for (i = 0; i < 4; ++i)
        tcheck(vmclose(vm[i]) == 0);
    tcheck(Granted == 0);
    return 0;
}
