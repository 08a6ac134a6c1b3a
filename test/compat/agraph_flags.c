/* SPDX-License-Identifier: MIT */
/* A graph library passes method bits among the flags, and wraps the calls in its own memory table. */
#include "terror.h"

typedef struct Agmemdisc_s {
    Void_t *(*open)(Vmdisc_t *);
    Void_t *(*alloc)(Void_t *heap, size_t req);
    Void_t *(*resize)(Void_t *heap, Void_t *p, size_t old, size_t req);
    void (*free)(Void_t *heap, Void_t *p);
    void (*close)(Void_t *heap);
} Agmemdisc_t;

static Void_t *memopen(Vmdisc_t *disc)
{
    return vmopen(disc, Vmbest, VM_MTBEST | VM_DBCHECK | VM_DBABORT | 0170000);
}

static Void_t *memalloc(Void_t *heap, size_t req)
{
    Void_t *p = vmalloc(heap, req);
    if (p)
        memset(p, 0, req);
    return p;
}

static Void_t *memresize(Void_t *heap, Void_t *p, size_t old, size_t req)
{
    Void_t *q = vmresize(heap, p, req, VM_RSCOPY | VM_RSMOVE);
    if (q && req > old)
        memset((char *)q + old, 0, req - old);
    return q;
}

static void memfree(Void_t *heap, Void_t *p)
{
    vmfree(heap, p);
}

static void memclose(Void_t *heap)
{
    vmclose(heap);
}

static Agmemdisc_t Mem = {memopen, memalloc, memresize, memfree, memclose};

int main(void)
{
    Void_t *heap = Mem.open(Vmdcheap), *p, *q;
    tcheck(heap != 0);
    tcheck((vmset(_VM_(heap), 0, 0) & VM_METHODS) == VM_MTBEST);
    tcheck((p = Mem.alloc(heap, 100)) != 0);
    tcheck((q = Mem.resize(heap, p, 100, 1000)) != 0);
    Mem.free(heap, q);
    Mem.close(heap);
    return 0;
}
