/* SPDX-License-Identifier: MIT */
/* *Vmdcheap copied, with another round and a handler; its memoryf in the structure of 1999. */
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
        size_t other[8]; /* what else lies behind it in memory, the first in the place of size */
    } *bare = malloc(sizeof *bare);
    int i;
    Vmalloc_t *vm;
    copy.round = 32 * 1024;
    copy.exceptf = except;
    tcheck((vm = vmopen(&copy, Vmlast, 0)) != 0);
    tcheck(vmalloc(vm, 100000) != 0);
    tcheck(vmclose(vm) == 0 && Events == 4);
    bare->memoryf = Vmdcheap->memoryf;
    bare->exceptf = 0;
    bare->round = 512;
    for (i = 0; i < 3; i++) {
        memset(bare->other, 0x55, sizeof bare->other);
        bare->other[0] = i == 0 ? 33 : i == 1 ? 200 : (size_t)-1;
        tcheck((vm = vmopen((Vmdisc_t *)bare, Vmbest, 0)) != 0);
        tcheck(vmalloc(vm, 100000) != 0);
        tcheck(vmclose(vm) == 0);
    }
    free(bare);
    return 0;
}
