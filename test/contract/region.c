/* SPDX-License-Identifier: MIT */
/* What concerns the region as a whole: owner of an address, walks, clear, compact, names, data. */
#include "contract.h"

static void owner(ct_t *t)
{
    char *p, here;
    Vmalloc_t *vm;
    ct_open(t);
    vm = t->vm;
    p = (char *)ct_one(t, 100, 1);
    CHECK(vmregion(p) == vm && vmregion(p + 20) == vm && vmregion(vm->data) == vm);
    CHECK(vmregion(NULL) == NULL && vmregion(&here) == NULL);
    CHECK(vmregion((void *)1) == NULL && vmregion((void *)UINTPTR_MAX) == NULL);
    CHECK(vmregion((void *)((uintptr_t)1 << (sizeof(void *) * 8 - 1))) == NULL);
    CHECK(vmsegment(vm, p) != NULL && (char *)vmsegment(vm, p) < p);
    CHECK(vmsegfind(vm, p) == vmsegment(vm, p));
    CHECK(vmsegment(vm, &here) == NULL && vmsegment(vm, NULL) == NULL);
    ct_close(t);
    CHECK(vmregion(p) != vm);
}

static void two_owners(ct_t *t)
{
    Vmalloc_t *a = vmopen(Vmdcheap, t->meth, t->flags), *b = vmopen(Vmdcheap, t->meth, t->flags);
    char *p, *q;
    CHECK(a != NULL && b != NULL && a != b);
    p = (char *)vmalloc(a, 64);
    q = (char *)vmalloc(b, 64);
    CHECK(vmregion(p) == a && vmregion(q) == b);
    CHECK(vmsegment(a, q) == NULL && vmsegment(b, p) == NULL);
    CHECK(vmaddr(a, q) == -1 && vmsize(b, p) == -1);
    FAILS(vmfree(a, q), -1, EINVAL);
    CHECK(vmclose(a) == 0);
    CHECK(vmregion(q) == b);
    CHECK(vmclose(b) == 0);
}

struct walk {
    size_t calls, segs, bytes, stop;
    Vmalloc_t *vm, *first;
    void *holds;
    int found;
};

static int count(Vmalloc_t *vm, void *addr, size_t size, Vmdisc_t *disc, void *handle)
{
    struct walk *w = (struct walk *)handle;
    if (w->calls++ == 0)
        w->first = vm;
    if (vm == w->vm) {
        w->segs++;
        w->bytes += size;
    }
    CHECK(vm->disc == disc && size > 0);
    w->found |= (char *)w->holds >= (char *)addr && (char *)w->holds < (char *)addr + size;
    return w->stop && w->calls == w->stop ? -7 : (int)w->calls;
}

static void walks(ct_t *t)
{
    struct walk w;
    size_t i;
    ct_open(t);
    for (i = 0; i < 50; i++)
        vmalloc(t->vm, ct_size(t, 3000));
    memset(&w, 0, sizeof w);
    w.vm = t->vm;
    w.holds = t->vm->data;
    CHECK(vmwalk(t->vm, count, &w) == (int)w.calls); /* the last value */
    CHECK(w.calls == ct_stat(t->vm).n_seg && w.bytes == ct_stat(t->vm).extent);
    CHECK(w.found && w.first == t->vm);
    if (t->chk)
        CHECK(w.calls == t->chk->nsegs && w.bytes == t->chk->bytes);
    w.calls = w.segs = w.bytes = 0;
    CHECK(vmsegwalk(t->vm, count, &w) == (int)w.calls && w.calls == ct_stat(t->vm).n_seg);
    w.calls = w.segs = 0;
    CHECK(vmwalk(NULL, count, &w) == (int)w.calls);
    CHECK(w.first == Vmheap && w.segs == ct_stat(t->vm).n_seg);
    w.calls = 0;
    w.stop = 1;
    CHECK(vmwalk(NULL, count, &w) == -7 && w.calls == 1); /* ends the whole walk */
    w.calls = 0;
    CHECK(vmwalk(t->vm, count, &w) == -7 && w.calls == 1);
    ct_one(t, 16, 1); /* and no lock was left behind */
    CHECK(vmstat(t->vm, NULL) == 0);
    ct_close(t);
}

struct blocks {
    size_t n_busy, s_busy, n_free, s_free, calls, stop;
    char *want[32];
    size_t seen;
};

static int block(Vmalloc_t *vm, void *addr, size_t size, int busy, void *handle)
{
    struct blocks *b = (struct blocks *)handle;
    size_t i;
    CHECK(vm != NULL && (busy == 0 || busy == 1));
    *(busy ? &b->n_busy : &b->n_free) += 1;
    *(busy ? &b->s_busy : &b->s_free) += size;
    for (i = 0; i < 32; i++)
        b->seen += busy && b->want[i] == (char *)addr;
    return ++b->calls == b->stop ? -3 : 5;
}

static void walks_blocks(ct_t *t)
{
    struct blocks b;
    Vmstat_t st;
    size_t i;
    ct_open(t);
    memset(&b, 0, sizeof b);
    for (i = 0; i < 32; i++)
        b.want[i] = (char *)ct_one(t, 10 + i % 3 * 30, i);
    if (t->which != LAST)
        for (i = 0; i < 32; i += 4) {
            CHECK(vmfree(t->vm, b.want[i]) == 0);
            b.want[i] = NULL;
        }
    CHECK(vmblkwalk(t->vm, block, &b) == 5);
    st = ct_stat(t->vm);
    CHECK(b.n_busy == st.n_busy && b.s_busy == st.s_busy);
    if (t->which != LAST)
        CHECK(b.seen == 24 && b.n_busy == 24);
    b.calls = 0;
    b.stop = 1;
    CHECK(vmblkwalk(t->vm, block, &b) == -3 && b.calls == 1);
    ct_one(t, 16, 1);
    ct_close(t);
}

static void clears(ct_t *t)
{
    size_t i, turn, segs, extent;
    char *p[30];
    for (turn = 0; turn < 2; turn++) {
        ct_open(t);
        for (i = 0; i < 30; i++)
            p[i] = (char *)ct_one(t, 60, i);
        segs = ct_stat(t->vm).n_seg;
        extent = ct_stat(t->vm).extent;
        vmset(t->vm, VM_TRACE, 1);
        KEEPS_ERRNO(CHECK(vmclear(t->vm) == 0));
        CHECK(ct_nbusy(t->vm) == 0 && ct_sbusy(t->vm) == 0 && ct_stat(t->vm).m_busy == 0);
        CHECK(ct_stat(t->vm).n_seg == segs && ct_stat(t->vm).extent == extent);
        CHECK(vmset(t->vm, VM_TRACE, 0) & VM_TRACE); /* flags stay */
        CHECK(vmaddr(t->vm, p[0]) == -1);
        CHECK(vmfree(t->vm, p[0]) == -1);
        for (i = 0; i < 30; i++)
            p[i] = (char *)ct_one(t, 60, i);
        CHECK(ct_stat(t->vm).n_seg == segs && ct_stat(t->vm).extent == extent);
        for (i = 0; i < 30; i++)
            ct_same(p[i], ct_size(t, 60), i);
        ct_close(t);
        if (t->parent || t->d->capacity)
            break; /* the discipline went with the region, or says nothing new */
    }
}

/* Compaction never harms, and what was freed can be given back. */
static void compacts(ct_t *t)
{
    enum { N = 200 };
    char *p[N];
    size_t i, before, size = t->which == POOL ? t->psize : 5000;
    ct_open(t);
    for (i = 0; i < N; i++)
        p[i] = (char *)ct_one(t, size, i);
    before = ct_stat(t->vm).extent;
    CHECK(vmcompact(t->vm) == 0);
    for (i = 0; i < N; i++)
        ct_same(p[i], size, i);
    CHECK(vmdbcheck(t->vm) == 0);
    if (t->which == LAST)
        CHECK(vmclear(t->vm) == 0);
    for (i = 3; i < N && t->which != LAST; i++)
        CHECK(vmfree(t->vm, p[i]) == 0);
    CHECK(vmcompact(t->vm) == 0 && vmcompact(t->vm) == 0);
    CHECK(vmdbcheck(t->vm) == 0);
    CHECK(ct_stat(t->vm).extent <= before);
    for (i = 0; i < 3 && t->which != LAST; i++)
        ct_same(p[i], size, i);
    for (i = 3; i < N; i++)
        p[i] = (char *)ct_one(t, size, i);
    for (i = t->which == LAST ? 3 : 0; i < N; i++)
        ct_same(p[i], size, i);
    ct_close(t);
}

static void names(ct_t *t)
{
    ct_open(t);
    CHECK(strcmp(vmname(t->vm, NULL), "") == 0);
    CHECK(strcmp(vmname(t->vm, "lexer"), "lexer") == 0);
    CHECK(strcmp(vmname(t->vm, NULL), "lexer") == 0);
    CHECK(strcmp(ct_stat(t->vm).name, "lexer") == 0);
    CHECK(strcmp(vmname(t->vm, "0123456789012345678901234567890123456789"),
                 "0123456789012345678901234567890") == 0);
    CHECK(strlen(ct_stat(t->vm).name) == 31);
    CHECK(strcmp(vmname(t->vm, ""), "") == 0);
    ct_close(t);
}

static void userdata(ct_t *t)
{
    char *a, *b;
    ct_open(t);
    CHECK(vmuserdata(t->vm, 7, 0) == NULL && vmuserdata(t->vm, 7, -1) == NULL);
    if (t->which == POOL && (a = (char *)vmuserdata(t->vm, 7, 20)) == NULL) {
        ct_close(t); /* Vmpool may have no room of another size */
        return;
    }
    a = (char *)vmuserdata(t->vm, 7, 20);
    CHECK(a != NULL && pat_notzero(a, 0, 20) == 20 && (uintptr_t)a % VM_ALIGN == 0);
    b = (char *)vmuserdata(t->vm, 8, t->which == POOL ? 20 : 40);
    CHECK(b != NULL && b != a);
    memset(a, 1, 20);
    CHECK(vmuserdata(t->vm, 7, 0) == a && vmuserdata(t->vm, 7, 5000) == a);
    CHECK(vmuserdata(t->vm, 8, 0) == b && vmuserdata(t->vm, 9, 0) == NULL);
    CHECK(vmregion(a) == t->vm);
    CHECK(vmclear(t->vm) == 0);
    CHECK(vmuserdata(t->vm, 7, 0) == NULL); /* a block as any other */
    ct_close(t);
}

static void flags(ct_t *t)
{
    int method = t->which == BEST ? VM_MTBEST : t->which == LAST ? VM_MTLAST : VM_MTPOOL, mode;
    ct_open(t);
    mode = vmset(t->vm, 0, 0);
    CHECK((mode & VM_METHODS) == method);
    CHECK(!(mode & VM_FLAGS));
    CHECK(vmset(t->vm, VM_TRACE, 1) == mode);
    CHECK(vmset(t->vm, VM_TRACE | VM_DBCHECK, 1) == (mode | VM_TRACE));
    CHECK(ct_stat(t->vm).mode == (mode | VM_TRACE | VM_DBCHECK));
    CHECK(vmset(t->vm, VM_TRACE | VM_DBCHECK, 0) == (mode | VM_TRACE | VM_DBCHECK));
    CHECK(vmset(t->vm, ~VM_FLAGS, 1) == mode); /* no others are taken */
    CHECK(vmset(t->vm, 0, 0) == mode);
    CHECK(vmset(t->vm, ~VM_FLAGS, 0) == mode && vmset(t->vm, 0, 0) == mode);
    ct_close(t);
    if (t->parent == NULL && t->d->drop == NULL) { /* unknown bits are ignored */
        t->flags |= VM_MTBEST | VM_MTDEBUG | 0100000;
        ct_open(t);
        CHECK((vmset(t->vm, 0, 0) & VM_METHODS) == method);
        ct_one(t, 10, 1);
        ct_close(t);
    }
}

static void strings(ct_t *t)
{
    char *s;
    ct_open(t);
    s = vmstrdup(t->vm, "hello");
    CHECK(s != NULL && strcmp(s, "hello") == 0 && vmregion(s) == t->vm);
    CHECK(vmstrdup(t->vm, NULL) == NULL);
    s = vmstrdup(t->vm, t->which == POOL ? "world" : "");
    CHECK(s != NULL);
    ct_close(t);
}

static void marks(ct_t *t)
{
    char *a, *m, *n, *p;
    size_t i;
    ct_open(t);
    if (t->which != LAST) {
        FAILS(vmmark(t->vm), NULL, ENOTSUP);
        ct_one(t, 16, 1);
        CHECK(vmrelease(t->vm, &a) == -1);
        ct_close(t);
        return;
    }
    a = (char *)ct_one(t, 100, 1);
    m = (char *)vmmark(t->vm);
    CHECK(m != NULL);
    p = (char *)ct_one(t, 100, 2);
    for (i = 0; i < 5; i++)
        ct_one(t, 100, 3);
    n = (char *)vmmark(t->vm);
    CHECK(n != NULL);
    for (i = 0; i < 5; i++)
        ct_one(t, t->d->capacity ? 16 : 30000, 4); /* over several segments where they grow */
    KEEPS_ERRNO(CHECK(vmrelease(t->vm, m) == 0));
    FAILS(vmrelease(t->vm, n), -1, EINVAL); /* it came after m */
    FAILS(vmrelease(t->vm, &i), -1, EINVAL);
    FAILS(vmrelease(t->vm, NULL), -1, EINVAL);
    ct_same(a, 100, 1);
    CHECK((char *)ct_one(t, 100, 5) <= p || t->d->capacity == 0);
    ct_same(a, 100, 1);
    CHECK(vmdbcheck(t->vm) == 0);
    m = (char *)vmmark(t->vm);
    CHECK(m != NULL && vmclear(t->vm) == 0);
    FAILS(vmrelease(t->vm, m), -1, EINVAL);
    ct_close(t);
}

static void getmem(ct_t *t)
{
    Vmalloc_t *vm = (Vmalloc_t *)vmgetmem(NULL, NULL, 0);
    char *p, *q;
    (void)t;
    CHECK(vm != NULL && vm->disc == Vmdcheap && (vmset(vm, 0, 0) & VM_METHODS) == VM_MTBEST);
    p = (char *)vmgetmem(vm, NULL, 100);
    CHECK(p != NULL && pat_notzero(p, 0, 100) == 100);
    memset(p, 1, 100);
    q = (char *)vmgetmem(vm, p, 300);
    CHECK(q != NULL && q[99] == 1 && pat_notzero(q, 100, 300) == 300);
    CHECK(vmgetmem(vm, q, 0) == NULL && ct_nbusy(vm) == 0);
    CHECK(vmgetmem(vm, NULL, 0) == NULL);
}

static void refuses_nothing(ct_t *t)
{
    Vmdisc_t empty = {NULL, NULL, 0, 0};
    FAILS(vmopen(NULL, t->meth, 0), NULL, EINVAL);
    FAILS(vmopen(Vmdcheap, NULL, 0), NULL, EINVAL);
    FAILS(vmopen(&empty, t->meth, 0), NULL, EINVAL);
    FAILS(vmclose(NULL), -1, EINVAL);
    FAILS(vmclose(Vmheap), -1, EINVAL);
    FAILS(vmclear(NULL), -1, EINVAL);
    CHECK(vmstat(NULL, NULL) == 0);
    CHECK(vmlocked(Vmregion) == 0);
    CHECK(ct_stat(NULL).extent == ct_stat(Vmregion).extent);
}

const ct_case_t region_cases[] = {
    {"owner", owner, ALL, 0, 0},
    {"two_owners", two_owners, ALL, 0, 1},
    {"walks", walks, ALL, 0, 0},
    {"walks_blocks", walks_blocks, ALL, 8 * KIB, 0},
    {"clears", clears, ALL, 8 * KIB, 0},
    {"compacts", compacts, ALL, 2 * MIB, 0},
    {"names", names, ALL, 0, 0},
    {"userdata", userdata, ALL, 0, 0},
    {"flags", flags, ALL, 0, 0},
    {"strings", strings, ALL, 0, 0},
    {"marks", marks, ALL, 8 * KIB, 0},
    {"getmem", getmem, BEST, 0, 1},
    {"refuses_nothing", refuses_nothing, ALL, 0, 1},
    {NULL, NULL, 0, 0, 0},
};
