/* SPDX-License-Identifier: MIT */
/* A compression library keeps its discipline inside the region that it closes; memory that is given
 * back is gone at once. */
#include "terror.h"

#include <sys/mman.h>

typedef struct Pz_s {
    Vmdisc_t disc;
    Vmalloc_t *vm;
    long magic;
} Pz_t;

static int Ended, Mapped;

static Void_t *memory(Vmalloc_t *vm, Void_t *caddr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    Void_t *p;
    (void)vm;
    (void)disc;
    if (csize == 0) {
        p = mmap(0, nsize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        Mapped += p != MAP_FAILED;
        return p == MAP_FAILED ? 0 : p;
    }
    if (nsize == 0) {
        Mapped--;
        return munmap(caddr, csize) == 0 ? caddr : 0;
    }
    return 0;
}

static int except(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    (void)vm;
    (void)obj;
    (void)disc;
    Ended += type == VM_ENDCLOSE;
    return 0;
}

int main(void)
{
    Vmdisc_t first = {memory, except, 0};
    Vmalloc_t *vm = vmopen(&first, Vmbest, 0);
    Pz_t *pz;
    int i;
    tcheck(vm != 0);
    tcheck((pz = vmnewof(vm, 0, Pz_t, 1, 0)) != 0);
    pz->disc = first;
    pz->vm = vm;
    tcheck(vmdisc(vm, &pz->disc) == &first);
    for (i = 0; i < 100; ++i)
        tcheck(vmalloc(pz->vm, 5000) != 0);
    tcheck(vmclose(pz->vm) == 0);
    tcheck(Ended == 1 && Mapped == 0);
    return 0;
}
