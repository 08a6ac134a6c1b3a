/* SPDX-License-Identifier: MIT */
/* A program built with VMFL: its base header asks for that name and for _VMALLOC_H, and it includes
 * vmalloc.h a second time without; the first time counts. */
#define VMFL 1
#include "terror.h"
#ifndef _VMALLOC_H
#error the guard has another name
#endif
#undef VMFL
#include <vmalloc.h>

int main(void)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmdebug, VM_DBCHECK);
    char *p, *q, *s;
    tcheck(vm != 0);
    tcheck((p = (char *)vmalloc(vm, 10)) != 0);
    tcheck((q = vmnewof(vm, 0, char, 10, 0)) != 0);
    tcheck((s = vmstrdup(vm, "located")) != 0 && strcmp(s, "located") == 0);
    tcheck((p = (char *)vmresize(vm, p, 1000, VM_RSMOVE | VM_RSCOPY)) != 0);
    tcheck(vm->file == 0 && vm->line == 0); /* taken by the calls */
    tcheck(vmfree(vm, q) == 0 && vmfree(vm, p) == 0);
    p = (char *)malloc(10); /* wrapped too */
    tcheck(p != 0 && (p = (char *)realloc(p, 100)) != 0);
    free(p);
    return vmclose(vm);
}
