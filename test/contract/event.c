/* SPDX-License-Identifier: MIT */
/* Events: order, arguments, meaning of the value; attaching; the handle in the discipline's memory;
 * what a handler may do when memory runs out. */
#include "contract.h"

#include <setjmp.h>

/* Answer of the handler for one type of event. */
static struct {
    int type, value, calls;
    void *set; /* VM_OPEN: for *obj */
    void *obj;
    char *tofree;
    int locked, bad;
    size_t morebytes;
    jmp_buf *jump;
} plan;

static int handler(chk_t *c, Vmalloc_t *vm, int type, void *obj)
{
    if (type == VM_OPEN && (obj == NULL || *(void **)obj != NULL))
        plan.bad = 1;
    if (type != plan.type)
        return 0;
    plan.calls++;
    plan.obj = obj;
    if (type == VM_OPEN && plan.set != NULL)
        *(void **)obj = plan.set;
    if (type == VM_NOMEM) {
        Vmstat_t st;
        plan.locked |= vmstat(vm, NULL);
        plan.bad |= vmstat(vm, &st) != 0 || st.extent != c->bytes || st.n_seg != c->nsegs;
        plan.bad |= c->inside;
        if (plan.tofree)
            plan.bad |= vmfree(vm, plan.tofree) != 0;
        plan.tofree = NULL;
        c->maxbytes += plan.morebytes;
        plan.morebytes = 0;
        if (plan.jump)
            longjmp(*plan.jump, 1);
    }
    return plan.value;
}

static chk_t *planned(int type, int value)
{
    chk_t *c = chk_new(4096, CHK_MALLOC, CHK_REFUSE);
    memset(&plan, 0, sizeof plan);
    plan.type = type;
    plan.value = value;
    c->onevent = handler;
    return c;
}

/* Memory that Vmheap has given out: nothing of a failed vmopen may stay there. */
static size_t heap_blocks(void)
{
    return ct_nbusy(Vmheap);
}

static void order(ct_t *t)
{
    chk_t *c = planned(0, 0);
    size_t i, before = heap_blocks();
    Vmalloc_t *vm;
    ct_openchk(t, c);
    vm = t->vm;
    CHECK(c->nevents == 2 && c->calls == 1 && c->nsegs == 1);
    CHECK(c->events[0].type == VM_OPEN && c->events[0].obj != NULL && c->events[0].calls == 0);
    CHECK(c->events[1].type == VM_ENDOPEN && c->events[1].obj == NULL);
    CHECK(c->events[1].vm == vm && c->events[1].calls == 1);
    for (i = 0; i < 600; i++)
        ct_one(t, 100, i);
    CHECK(c->nsegs > 1 && c->nevents == 2);
    CHECK(vmclear(vm) == 0 && c->nevents == 2);
    i = c->calls;
    CHECK(vmclose(vm) == 0);
    CHECK(c->nevents == 4 && c->nsegs == 0);
    CHECK(c->events[2].type == VM_CLOSE && c->events[2].obj == (void *)1);
    CHECK(c->events[2].vm == vm && c->events[2].calls == i);
    CHECK(c->events[3].type == VM_ENDCLOSE && c->events[3].calls == c->calls);
    CHECK(chk_done(c) == NULL && !plan.bad);
    CHECK(heap_blocks() == before);
    free(c);
    t->chk = NULL;
}

static void open_refused(ct_t *t)
{
    chk_t *c = planned(VM_OPEN, -1);
    size_t before = heap_blocks();
    FAILS(vmopen(&c->disc, t->meth, t->flags), NULL, ECANCELED);
    CHECK(c->calls == 0 && c->nevents == 1 && heap_blocks() == before);
    free(c);
}

static void open_without_memory(ct_t *t)
{
    chk_t *c = planned(0, 0);
    size_t i, before = heap_blocks();
    c->failat = 1;
    c->failall = 1;
    FAILS(vmopen(&c->disc, t->meth, t->flags), NULL, ENOMEM);
    CHECK(c->nsegs == 0 && c->frees == 0 && heap_blocks() == before);
    for (i = 0; i < c->nevents; i++)
        CHECK(c->events[i].type != VM_ENDOPEN && c->events[i].type != VM_CLOSE);
    free(c);
}

static void close_refused(ct_t *t)
{
    chk_t *c = planned(VM_CLOSE, -1);
    char *p;
    ct_openchk(t, c);
    p = (char *)ct_one(t, 50, 1);
    FAILS(vmclose(t->vm), -1, ECANCELED);
    CHECK(c->frees == 0 && c->nsegs == 1);
    ct_same(p, ct_size(t, 50), 1);
    ct_one(t, 50, 2);
    CHECK(vmregion(p) == t->vm && vmdbcheck(t->vm) == 0);
    plan.value = 0;
    ct_closechk(t);
}

/* The region is left alone by one vmclose, found again by the next vmopen. */
static void attach_with(ct_t *t, int inmemory)
{
    enum { N = 300 };
    static char *p[N];
    chk_t *c = planned(0, 0);
    void *data;
    size_t i, segs, busy, before = heap_blocks(), n = N;
    Vmalloc_t *vm;
    t->flags |= inmemory ? VM_MEMORYF : 0;
    ct_openchk(t, c);
    for (i = 0; i < n; i++)
        p[i] = (char *)ct_one(t, 20 + i % 200, i);
    vmname(t->vm, "kept");
    vm = t->vm;
    data = vm->data;
    segs = c->nsegs;
    busy = ct_sbusy(vm);
    plan.type = VM_CLOSE;
    plan.value = 1;
    CHECK(vmclose(vm) == 0);
    CHECK(c->frees == 0 && c->nsegs == segs && heap_blocks() == before);
    CHECK(c->events[c->nevents - 1].type == VM_ENDCLOSE);
    CHECK(vmregion(p[0]) == NULL);
    plan.type = VM_OPEN;
    plan.set = data;
    c->nevents = 0;
    i = c->calls;
    t->vm = vmopen(&c->disc, t->meth, t->flags);
    CHECK(t->vm != NULL && c->calls == i);
    CHECK(!inmemory || t->vm == vm);
    CHECK(t->vm->data == data && t->vm->disc == &c->disc);
    CHECK(c->nevents == 2 && c->events[1].type == VM_ENDOPEN && c->events[1].vm == t->vm);
    plan.type = 0;
    CHECK(ct_sbusy(t->vm) == busy && strcmp(vmname(t->vm, NULL), "kept") == 0);
    CHECK(vmdbcheck(t->vm) == 0);
    for (i = 0; i < n; i++)
        ct_same(p[i], ct_size(t, 20 + i % 200), i);
    CHECK(vmregion(p[0]) == t->vm && vmregion(p[n - 1]) == t->vm);
    CHECK(vmfree(t->vm, p[n - 1]) == 0);
    for (i = 0; i < n; i++)
        ct_one(t, 20 + i, i);
    for (i = 0; i < n - 1; i++)
        ct_same(p[i], ct_size(t, 20 + i % 200), i);
    ct_closechk(t);
    CHECK(!plan.bad && heap_blocks() == before);
}

static void attach(ct_t *t)
{
    attach_with(t, 0);
}

static void attach_in_memory(ct_t *t)
{
    attach_with(t, 1);
}

static void attach_to_nothing(ct_t *t)
{
    chk_t *c = planned(VM_OPEN, 1);
    size_t before = heap_blocks();
    CHECK(vmopen(&c->disc, t->meth, t->flags) == NULL);
    CHECK(c->calls == 0 && heap_blocks() == before);
    free(c);
}

/* The handle lies in the discipline's memory: by flag, or because the handler asked. */
static void handle_inside(ct_t *t)
{
    size_t before = heap_blocks(), how;
    for (how = 0; how < 2; how++) {
        chk_t *c = planned(how ? VM_OPEN : 0, 0);
        plan.set = how ? (void *)c : NULL;
        t->flags = (t->flags & ~VM_MEMORYF) | (how ? 0 : VM_MEMORYF);
        ct_openchk(t, c);
        CHECK(heap_blocks() == before);
        CHECK((char *)t->vm > c->segs[0].addr &&
              (char *)t->vm < c->segs[0].addr + c->segs[0].size);
        CHECK(vmregion(t->vm) == t->vm);
        ct_one(t, 100, 1);
        CHECK(vmclear(t->vm) == 0);
        CHECK(t->vm->disc == &c->disc);
        ct_one(t, 100, 2);
        ct_closechk(t);
    }
}

/* Fill the region to the brim: how many blocks of size fit. */
static size_t fill(ct_t *t, size_t size, char **lastblock)
{
    size_t n = 0;
    char *p;
    plan.type = 0;
    while ((p = (char *)vmalloc(t->vm, ct_size(t, size))) != NULL)
        *lastblock = p, n++;
    plan.type = VM_NOMEM;
    plan.calls = 0;
    return n;
}

static void nomem(ct_t *t, int value, int frees, int more)
{
    chk_t *c = planned(0, 0);
    char *lastblock = NULL, *p;
    size_t busy;
    c->maxbytes = 64 * KIB;
    ct_openchk(t, c);
    CHECK(fill(t, 1000, &lastblock) > 0);
    if (t->which == BEST)
        while (vmalloc(t->vm, 16) != NULL)
            continue;
    plan.calls = 0;
    plan.value = value;
    plan.tofree = frees ? lastblock : NULL;
    plan.morebytes = more ? 64 * KIB : 0;
    busy = ct_nbusy(t->vm);
    errno = 0;
    p = (char *)vmalloc(t->vm, ct_size(t, 1000));
    if (value < 0 || (!frees && !more)) {
        CHECK(p == NULL && errno == ENOMEM);
        CHECK(t->which == LAST || ct_nbusy(t->vm) == busy - (size_t)frees);
    } else
        CHECK(p != NULL);
    CHECK(plan.calls >= 1 && plan.calls <= (value > 0 ? 2 : 1) && !plan.locked && !plan.bad);
    CHECK((size_t)plan.obj >= ct_size(t, 1000));
    CHECK((size_t)plan.obj % chk_incr(c->disc.round) == 0);
    plan.value = 0;
    CHECK(vmdbcheck(t->vm) == 0);
    ct_closechk(t);
}

static void nomem_fails(ct_t *t)
{
    nomem(t, -1, 0, 0);
    nomem(t, -1, 1, 0); /* although memory is there now */
}

static void nomem_searches(ct_t *t)
{
    nomem(t, 0, 0, 0); /* once, no endless loop */
    nomem(t, 0, 1, 0);
}

static void nomem_asks_again(ct_t *t)
{
    nomem(t, 1, 0, 1);
    nomem(t, 1, 1, 1);
}

/* The handler leaves by longjmp: the region is whole and unlocked. */
static void nomem_jumps(ct_t *t)
{
    static jmp_buf jump;
    chk_t *c = planned(0, 0);
    char *lastblock = NULL;
    c->maxbytes = 64 * KIB;
    ct_openchk(t, c);
    fill(t, 1000, &lastblock);
    plan.jump = &jump;
    if (setjmp(jump) == 0) {
        while (vmalloc(t->vm, ct_size(t, 1000)) != NULL)
            continue;
        CHECK(!"the handler was not called");
    }
    plan.jump = NULL;
    vmclrlock(0);
    CHECK(vmstat(t->vm, NULL) == 0);
    CHECK(vmfree(t->vm, lastblock) == 0);
    CHECK(vmalloc(t->vm, ct_size(t, 1000)) != NULL);
    CHECK(vmdbcheck(t->vm) == 0);
    ct_closechk(t);
}

/* VM_BADADDR carries the address; no lock is held. */
static void bad_address(ct_t *t)
{
    chk_t *c = planned(VM_BADADDR, 0);
    char here[16], *p;
    ct_openchk(t, c);
    p = (char *)ct_one(t, 30, 1);
    CHECK(vmfree(t->vm, here) == -1 && plan.calls == 1 && plan.obj == here);
    CHECK(vmresize(t->vm, here, ct_size(t, 30), VM_RSCOPY) == NULL && plan.calls == 2);
    CHECK(vmfree(t->vm, p) == 0 && plan.calls == 2);
    CHECK(vmfree(t->vm, p) == -1 && plan.calls == 3 && plan.obj == p);
    CHECK(vmfree(t->vm, NULL) == 0 && plan.calls == 3);
    ct_closechk(t);
}

static void another_discipline(ct_t *t)
{
    chk_t *a = planned(VM_DISC, 1), *b = chk_new(4096, CHK_MALLOC, CHK_REFUSE);
    size_t i, n;
    ct_openchk(t, a);
    CHECK(vmdisc(t->vm, NULL) == &a->disc);
    FAILS(vmdisc(t->vm, &b->disc), NULL, ECANCELED);
    CHECK(plan.calls == 1 && plan.obj == &b->disc && t->vm->disc == &a->disc);
    plan.value = 0;
    a->growth = CHK_REFUSE;
    KEEPS_ERRNO(CHECK(vmdisc(t->vm, &b->disc) == &a->disc));
    CHECK(t->vm->disc == &b->disc && b->nevents == 0);
    n = a->calls;
    b->segs[b->nsegs++] = a->segs[0]; /* the new one stands in for the old */
    a->nsegs = 0;
    b->bytes = a->bytes;
    for (i = 0; i < 300; i++)
        ct_one(t, 100, i);
    CHECK(a->calls == n && b->calls > 0);
    t->chk = b;
    CHECK(vmclose(t->vm) == 0);
    CHECK(a->calls == n && chk_done(b) == NULL);
    free(a);
    free(b);
    t->chk = NULL;
}

/* exceptf is read at each event, also when it was set after vmopen(). */
static int late(Vmalloc_t *vm, int type, void *obj, Vmdisc_t *disc)
{
    (void)vm, (void)obj, (void)disc;
    plan.calls += type == VM_NOMEM;
    return -1;
}

static void late_handler(ct_t *t)
{
    chk_t *c = planned(0, 0);
    ct_openchk(t, c);
    c->maxbytes = c->bytes;
    vmdisc(t->vm, NULL)->exceptf = late;
    while (vmalloc(t->vm, ct_size(t, 500)) != NULL)
        continue;
    CHECK(plan.calls == 1);
    c->disc.exceptf = NULL;
    CHECK(vmalloc(t->vm, ct_size(t, 500)) == NULL);
    ct_closechk(t);
}

const ct_case_t event_cases[] = {
    {"event_order", order, ALL, 0, 1},
    {"open_refused", open_refused, ALL, 0, 1},
    {"open_without_memory", open_without_memory, ALL, 0, 1},
    {"close_refused", close_refused, ALL, 0, 1},
    {"attach", attach, ALL, 0, 1},
    {"attach_in_memory", attach_in_memory, ALL, 0, 1},
    {"attach_to_nothing", attach_to_nothing, ALL, 0, 1},
    {"handle_inside", handle_inside, ALL, 0, 1},
    {"nomem_fails", nomem_fails, ALL, 0, 1},
    {"nomem_searches", nomem_searches, ALL, 0, 1},
    {"nomem_asks_again", nomem_asks_again, ALL, 0, 1},
    {"nomem_jumps", nomem_jumps, ALL, 0, 1},
    {"bad_address", bad_address, ALL, 0, 1},
    {"another_discipline", another_discipline, ALL, 0, 1},
    {"late_handler", late_handler, ALL, 0, 1},
    {NULL, NULL, 0, 0, 0},
};
