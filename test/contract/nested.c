/* SPDX-License-Identifier: MIT */
/* Regions that take their memory from regions. */
#include "contract.h"

static void innermost(ct_t *t)
{
    Vmalloc_t *a = vmopen(Vmdcsystem, Vmbest, 0), *b, *c;
    char *p, *q, *r;
    CHECK(a != NULL);
    b = vmopen(vmdcderive(a, 0, 0), Vmbest, 0);
    CHECK(b != NULL);
    c = vmopen(vmdcderive(b, 1000, 1), t->meth, t->flags);
    CHECK(c != NULL);
    t->vm = c;
    p = (char *)vmalloc(a, 500);
    q = (char *)vmalloc(b, 500);
    r = (char *)ct_one(t, 500, 1);
    CHECK(vmregion(p) == a && vmregion(q) == b && vmregion(r) == c);
    CHECK(vmsegment(a, r) != NULL && vmsegment(b, r) != NULL && vmsegment(c, r) != NULL);
    CHECK(vmaddr(b, vmsegment(c, r)) == 0); /* a block there, a segment here */
    FAILS(vmfree(a, q), -1, EINVAL);
    CHECK(vmdbcheck(a) == 0 && vmdbcheck(b) == 0 && vmdbcheck(c) == 0);
    CHECK(vmclose(c) == 0);
    CHECK(vmregion(r) == b || vmregion(r) == a);
    CHECK(ct_nbusy(b) == 1);
    CHECK(vmclose(b) == 0);
    CHECK(ct_nbusy(a) == 1);
    CHECK(vmclose(a) == 0);
}

static void derived(ct_t *t)
{
    Vmalloc_t *a = vmopen(Vmdcsystem, Vmbest, 0), *b;
    Vmdisc_t *d;
    size_t heap = ct_nbusy(Vmheap), inheap;
    CHECK(a != NULL);
    for (inheap = 0; inheap < 2; inheap++) {
        d = vmdcderive(a, 127, (int)inheap);
        CHECK(d != NULL);
        CHECK(vmregion(d) == (inheap ? Vmheap : a));
        b = vmopen(d, t->meth, t->flags);
        CHECK(b != NULL);
        FAILS(vmdisc(b, Vmdcheap), NULL, ECANCELED);
        CHECK(vmalloc(b, 2000) != NULL);
        CHECK(vmclose(b) == 0);
        CHECK(ct_nbusy(a) == 0 && ct_nbusy(Vmheap) == heap);
    }
    CHECK(vmclose(a) == 0);
}

static int all(Vmalloc_t *vm, void *addr, size_t size, Vmdisc_t *disc, void *handle)
{
    (void)vm, (void)addr, (void)size, (void)disc;
    ++*(int *)handle;
    return 0;
}

/* The parent goes first: the child must not be used any more, everything else goes on. */
static void parent_first(ct_t *t)
{
    Vmalloc_t *a = vmopen(Vmdcsystem, Vmbest, 0), *b, *c;
    char *p;
    int i, n = 0;
    CHECK(a != NULL);
    b = vmopen(vmdcderive(a, 0, 1), t->meth, t->flags | VM_MEMORYF);
    CHECK(b != NULL);
    p = (char *)vmalloc(b, 300);
    CHECK(p != NULL);
    CHECK(vmclose(a) == 0);
    CHECK(vmregion(p) == NULL);
    CHECK(vmwalk(NULL, all, &n) == 0 && n > 0);
    for (i = 0; i < 5; i++) {
        c = vmopen(Vmdcsystem, t->meth, t->flags);
        CHECK(c != NULL && vmalloc(c, 300) != NULL);
        CHECK(vmclose(c) == 0);
    }
    vmclrlock(0);
    CHECK(vmdbcheck(Vmheap) == 0);
}

static void parent_cleared(ct_t *t)
{
    Vmalloc_t *a = vmopen(Vmdcsystem, Vmbest, 0), *b;
    char *p;
    int n = 0;
    b = vmopen(vmdcderive(a, 0, 1), t->meth, t->flags | VM_MEMORYF);
    CHECK(b != NULL);
    p = (char *)vmalloc(b, 300);
    CHECK(vmclear(a) == 0);
    CHECK(vmregion(p) == a);
    CHECK(vmwalk(NULL, all, &n) == 0);
    b = vmopen(vmdcderive(a, 0, 1), t->meth, t->flags | VM_MEMORYF);
    CHECK(b != NULL && vmalloc(b, 300) != NULL);
    CHECK(vmclose(b) == 0);
    CHECK(vmdbcheck(a) == 0 && vmclose(a) == 0);
}

/* Regions come and go in any order. */
static void many_regions(ct_t *t)
{
    enum { N = 100 };
    static Vmalloc_t *vm[N];
    static char *p[N];
    size_t i, heap = ct_nbusy(Vmheap);
    int n = 0, m = 0;
    CHECK(vmwalk(NULL, all, &n) == 0);
    for (i = 0; i < N; i++) {
        vm[i] = vmopen(i % 2 ? Vmdcheap : Vmdcsystem, t->meth, t->flags);
        CHECK(vm[i] != NULL);
        p[i] = (char *)vmalloc(vm[i], 200);
        CHECK(p[i] != NULL);
        pat_fill(p[i], 0, 200, i);
    }
    for (i = 0; i < N; i++)
        CHECK(vmregion(p[i]) == vm[i]);
    for (i = 0; i < N; i++) {
        size_t k = (i * 37) % N;
        ct_same(p[k], 200, k);
        CHECK(vmclose(vm[k]) == 0);
        CHECK(vmregion(p[k]) != vm[k] || vmregion(p[k]) == NULL);
    }
    CHECK(ct_nbusy(Vmheap) == heap);
    vmcompact(Vmheap);
    CHECK(vmwalk(NULL, all, &m) == 0 && m <= n + 64);
}

const ct_case_t nested_cases[] = {
    {"innermost", innermost, ALL, 0, 1},
    {"derived", derived, ALL, 0, 1},
    {"parent_first", parent_first, ALL, 0, 1},
    {"parent_cleared", parent_cleared, ALL, 0, 1},
    {"many_regions", many_regions, ALL, 0, 1},
    {NULL, NULL, 0, 0, 0},
};
