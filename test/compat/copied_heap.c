/* SPDX-License-Identifier: MIT */
/* *Vmdcheap copied, with another round and a handler; and just its memoryf in a bare structure. */
#include "terror.h"

static int Events;

static int except(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    (void)vm;
    (void)type;
    (void)obj;
    (void)disc;
    Events++;
    return 0;
}

int main(void)
{
    Vmdisc_t copy = *Vmdcheap;
    struct {
        Vmemory_f memoryf;
        Vmexcept_f exceptf;
        size_t round;
    } *bare = malloc(sizeof *bare); /* the structure of 1999, to its last byte */
    Vmalloc_t *vm;
    copy.round = 32 * 1024;
    copy.exceptf = except;
    tcheck((vm = vmopen(&copy, Vmlast, 0)) != 0);
    tcheck(vmalloc(vm, 100000) != 0);
    tcheck(vmclose(vm) == 0 && Events == 4);
    bare->memoryf = Vmdcheap->memoryf;
    bare->exceptf = 0;
    bare->round = 512;
    tcheck((vm = vmopen((Vmdisc_t *)bare, Vmbest, 0)) != 0);
    tcheck(vmalloc(vm, 100000) != 0);
    tcheck(vmclose(vm) == 0);
    free(bare);
    return 0;
}
