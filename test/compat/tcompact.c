/* SPDX-License-Identifier: MIT */
/* A discipline that takes no change in place; small blocks freed, reused, grown within their size. */
#include "terror.h"

static Void_t *memory(Vmalloc_t *vm, Void_t *caddr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    (void)vm;
    (void)disc;
    if (csize == 0)
        return malloc(nsize);
    if (nsize == 0) {
        free(caddr);
        return caddr;
    }
    return NIL(Void_t *);
}

static Vmdisc_t Disc = {memory, NIL(Vmexcept_f), 64};

int main(void)
{
    Vmalloc_t *vm = vmopen(&Disc, Vmbest, 0);
    char *data[10], *p;
    int i, k;
    tcheck(vm != 0);
    for (i = 0; i < 10; ++i) {
        tcheck((data[i] = (char *)vmalloc(vm, 15)) != 0);
        tcheck((Vmulong_t)data[i] % ALIGN == 0);
    }
    for (i = 0; i < 10; ++i)
        tcheck(vmfree(vm, data[i]) == 0);
    tcheck(vmcompact(vm) == 0);
    for (i = 0; i < 10; ++i) {
        tcheck((data[i] = (char *)vmalloc(vm, 15)) != 0);
        memset(data[i], 'a' + i, 15);
        p = (char *)vmresize(vm, data[i], 16, VM_RSCOPY);
        tcheck(p == data[i]);
    }
    for (i = 0; i < 10; ++i)
        for (k = 0; k < 15; ++k)
            tcheck(data[i][k] == 'a' + i);
    tcheck(vmcompact(vm) == 0);
    tcheck(vmclose(vm) == 0);
    return 0;
}
