/* SPDX-License-Identifier: MIT */
/* The six calls that a base library needs, declared by its own header, as functions: their addresses. */
#include "terror.h"

#undef vmalloc
#undef vmalign
#undef vmfree

typedef struct Calls_s {
    Vmalloc_t *(*open)(Vmdisc_t *, Vmethod_t *, int);
    Void_t *(*alloc)(Vmalloc_t *, size_t);
    Void_t *(*align)(Vmalloc_t *, size_t, size_t);
    int (*free)(Vmalloc_t *, Void_t *);
    int (*close)(Vmalloc_t *);
} Calls_t;

int main(void)
{
    static Calls_t call = {vmopen, vmalloc, vmalign, vmfree, vmclose};
    Vmalloc_t *vm = (*call.open)(Vmdcheap, Vmbest, 0);
    char *p, *q;
    tcheck(vm != 0);
    tcheck((p = (char *)(*call.alloc)(vm, 100)) != 0);
    tcheck((q = (char *)(*call.align)(vm, 100, 64)) != 0 && (Vmulong_t)q % 64 == 0);
    tcheck(vmnewof(vm, 0, long, 10, 0) != 0);
    tcheck((*call.free)(vm, p) == 0 && (*call.free)(vm, q) == 0);
    return (*call.close)(vm);
}
