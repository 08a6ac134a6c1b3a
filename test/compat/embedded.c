/* SPDX-License-Identifier: MIT */
/* A discipline first in a larger structure, cast back in memoryf and exceptf. */
#include "terror.h"

typedef struct Mydisc_s {
    Vmdisc_t disc;
    size_t got, given;
    int events;
    const char *tag;
} Mydisc_t;

static Void_t *memory(Vmalloc_t *vm, Void_t *caddr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    Mydisc_t *my = (Mydisc_t *)disc;
    Void_t *p = (*Vmdcheap->memoryf)(vm, caddr, csize, nsize, disc);
    if (p) {
        my->got += nsize > csize ? nsize - csize : 0;
        my->given += csize > nsize ? csize - nsize : 0;
    }
    return p;
}

static int except(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    Mydisc_t *my = (Mydisc_t *)disc;
    (void)vm;
    (void)type;
    (void)obj;
    tcheck(strcmp(my->tag, "mine") == 0);
    my->events++;
    return 0;
}

int main(void)
{
    Mydisc_t my;
    Vmalloc_t *vm;
    int i;
    memset(&my, 0, sizeof my);
    my.disc.memoryf = memory;
    my.disc.exceptf = except;
    my.disc.round = 2048;
    my.tag = "mine";
    tcheck((vm = vmopen((Vmdisc_t *)&my, Vmbest, 0)) != 0);
    for (i = 0; i < 1000; ++i)
        tcheck(vmalloc(vm, 100) != 0);
    tcheck(my.got >= 100000);
    tcheck(vmclose(vm) == 0);
    tcheck(my.got == my.given && my.events == 4);
    return 0;
}
