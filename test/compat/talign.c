/* SPDX-License-Identifier: MIT */
/* Alignment 13, page alignment a hundred times, one static buffer as all the memory there is. */
#include "terror.h"

static char buffer[4 * 1024 * 1024];
static int used;

static Void_t *onebuffer(Vmalloc_t *vm, Void_t *caddr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    (void)vm;
    (void)disc;
    if (csize == 0 && nsize <= sizeof(buffer) && !used) {
        used = 1;
        return buffer + 1;
    }
    if (nsize == 0) {
        used = 0;
        return caddr;
    }
    return NIL(Void_t *);
}

static Vmdisc_t Disc = {onebuffer, NIL(Vmexcept_f), 1024 * 1024};

static void thirteen(Vmdisc_t *disc, Vmethod_t *meth)
{
    Vmalloc_t *vm = vmopen(disc, meth, 0);
    char *a[20];
    int i;
    tcheck(vm != NIL(Vmalloc_t *));
    for (i = 0; i < 20; ++i) {
        tcheck((a[i] = (char *)vmalign(vm, 10 + i, 13)) != 0);
        tcheck((Vmulong_t)a[i] % 13 == 0);
        tcheck((Vmulong_t)a[i] % ALIGN == 0);
        memset(a[i], i, 10 + i);
    }
    for (i = 0; i < 20; ++i)
        tcheck(a[i][0] == i && a[i][9 + i] == i);
    tcheck(vmclose(vm) == 0);
}

int main(void)
{
    Vmalloc_t *vm;
    char *a;
    int i;
    Vmdcheap->round = 10 * 1024;
    thirteen(Vmdcheap, Vmbest);
    thirteen(Vmdcheap, Vmlast);
    thirteen(&Disc, Vmbest);
    thirteen(&Disc, Vmlast);
    tcheck((vm = vmopen(Vmdcheap, Vmbest, 0)) != 0);
    for (i = 0; i < 100; ++i) {
        tcheck((a = (char *)vmalign(vm, 4096, 4096)) != 0);
        tcheck((Vmulong_t)a % 4096 == 0);
        memset(a, 0xff, 4096);
    }
    tcheck(vmalign(vm, 0, 16) == 0 && vmalign(vm, 16, 0) == 0);
    tcheck(vmclose(vm) == 0);
    return 0;
}
