/* SPDX-License-Identifier: MIT */
/*
 * Every request for memory fails once.  A scenario runs with the first request refused, then with
 * the second, and so on until it meets no refusal any more; the same with that request and all
 * later ones refused.  Whatever is refused, contents, structure and statistics hold, and all memory
 * comes back.  (The manner of Lua's memerr.lua and SQLite's out-of-memory loops.)
 */
#include "contract.h"

enum { N = 24 };
typedef struct scene {
    char *p[N];
    size_t size[N];
} scene_t;

static void same(const scene_t *s)
{
    size_t i;
    for (i = 0; i < N; i++)
        if (s->p[i] != NULL)
            ct_same(s->p[i], s->size[i], i);
}

static void get(ct_t *t, scene_t *s, size_t i, size_t size)
{
    size = ct_size(t, size);
    errno = 0;
    s->p[i] = (char *)vmalloc(t->vm, size);
    s->size[i] = size;
    if (s->p[i] == NULL)
        CHECK(errno == ENOMEM);
    else
        pat_fill(s->p[i], 0, size, i);
}

static void change(ct_t *t, scene_t *s, size_t i, size_t size, int type)
{
    size_t n = s->size[i] < size ? s->size[i] : size;
    char *q;
    if (s->p[i] == NULL)
        return;
    errno = 0;
    q = (char *)vmresize(t->vm, s->p[i], size, type);
    if (q == NULL) {
        CHECK(errno == ENOMEM);
        return;
    }
    CHECK(pat_differs(q, n, i) == n);
    if (type & VM_RSZERO && t->which == BEST)
        CHECK(pat_notzero(q, n, size) == size);
    pat_fill(q, 0, size, i);
    s->p[i] = q;
    s->size[i] = size;
}

static void align(ct_t *t, scene_t *s, size_t i, size_t size, size_t align)
{
    s->p[i] = (char *)vmalign(t->vm, size, align);
    s->size[i] = size;
    if (s->p[i] != NULL)
        pat_fill(s->p[i], 0, size, i);
}

static void scenario(ct_t *t)
{
    static const size_t sizes[] = {30, 5000, 100, 40000, 16, 900, 70000, 2000, 60, 300000, 8, 12000};
    scene_t s;
    size_t i;
    memset(&s, 0, sizeof s);
    for (i = 0; i < 12; i++)
        get(t, &s, i, sizes[i]);
    same(&s);
    CHECK(vmdbcheck(t->vm) == 0);
    if (t->which == BEST)
        for (i = 0; i < 12; i++)
            change(t, &s, i, sizes[11 - i], i % 4 ? VM_RSCOPY | VM_RSZERO : 0);
    else if (t->which == LAST)
        change(t, &s, 11, 100000, VM_RSCOPY);
    same(&s);
    for (i = 12; i < 16 && t->which != POOL; i++)
        align(t, &s, i, 1000, (size_t)1 << i);
    same(&s);
    for (i = 0; i < 12 && t->which != LAST; i += 2)
        if (s.p[i] != NULL) {
            CHECK(vmfree(t->vm, s.p[i]) == 0);
            s.p[i] = NULL;
        }
    vmcompact(t->vm);
    same(&s);
    CHECK(vmdbcheck(t->vm) == 0);
    for (i = 16; i < N; i++)
        get(t, &s, i, sizes[i % 12] / 2 + 1);
    same(&s);
    if (t->which != POOL)
        vmuserdata(t->vm, 1, 100);
    CHECK(vmclear(t->vm) == 0);
    memset(&s, 0, sizeof s);
    for (i = 0; i < 12; i++)
        get(t, &s, i, sizes[i]);
    same(&s);
    CHECK(ct_stat(t->vm).extent == t->chk->bytes);
}

/* Many blocks more than a segment, so that Vmpool and Vmlast must extend too. */
static void lots(ct_t *t)
{
    static char *p[800];
    size_t i, m = ct_size(t, 120);
    CHECK(vmclear(t->vm) == 0);
    for (i = 0; i < 800; i++)
        if ((p[i] = (char *)vmalloc(t->vm, m)) != NULL)
            pat_fill(p[i], 0, m, i);
    for (i = 0; i < 800; i++)
        if (p[i] != NULL)
            ct_same(p[i], m, i);
}

static void loop(ct_t *t, enum chk_source source, enum chk_growth growth, int all)
{
    size_t k, refused = 1, before = ct_nbusy(Vmheap);
    for (k = 1; refused; k++) {
        chk_t *c = chk_new(4096, source, growth);
        CHECK(k < 5000);
        c->failat = k;
        c->failall = all;
        t->chk = c;
        t->disc = &c->disc;
        errno = 0;
        t->vm = vmopen(t->disc, t->meth, t->flags);
        CHECK(t->vm != NULL || errno == ENOMEM);
        if (t->vm != NULL) {
            scenario(t);
            lots(t);
            CHECK(vmdbcheck(t->vm) == 0);
            CHECK(vmclose(t->vm) == 0);
        }
        refused = c->gets >= k;
        CHECK(chk_done(c) == NULL);
        free(c);
        t->chk = NULL;
        CHECK(ct_nbusy(Vmheap) == before);
    }
    CHECK(k > 3);
}

static void one_request(ct_t *t)
{
    loop(t, CHK_MALLOC, CHK_REFUSE, 0);
    loop(t, CHK_RESERVE, CHK_INPLACE, 0);
    loop(t, CHK_MALLOC, CHK_NEWSEG, 0);
}

static void from_there_on(ct_t *t)
{
    loop(t, CHK_MALLOC, CHK_REFUSE, 1);
    loop(t, CHK_RESERVE, CHK_INPLACE, 1);
}

/* The same with vmdcfail(), whose count goes on until the scenario needs no more. */
static void with_vmdcfail(ct_t *t)
{
    size_t k, count = 0, before = ct_nbusy(Vmheap);
    for (k = 1; k <= count + 1; k++) {
        chk_t *c = chk_new(4096, CHK_MALLOC, CHK_REFUSE);
        Vmdisc_t *fail = vmdcfail(&c->disc, k, 0, 0, 0);
        CHECK(fail != NULL && k < 5000);
        c->behind = 1;
        t->chk = c;
        t->vm = vmopen(fail, t->meth, t->flags);
        if (t->vm != NULL) {
            scenario(t);
            lots(t);
            CHECK(vmclose(t->vm) == 0);
        }
        count = vmdcfailcount(fail);
        CHECK(chk_done(c) == NULL);
        CHECK(vmdcfree(fail) == 0);
        free(c);
        t->chk = NULL;
    }
    CHECK(k > 3 && ct_nbusy(Vmheap) == before);
}

static void at_random(ct_t *t)
{
    unsigned long seed;
    for (seed = 1; seed <= 20; seed++) {
        chk_t *c = chk_new(4096, CHK_RESERVE, CHK_INPLACE);
        Vmdisc_t *fail = vmdcfail(&c->disc, 0, 0, 400, seed);
        c->behind = 1;
        t->chk = c;
        t->vm = vmopen(fail, t->meth, t->flags);
        if (t->vm != NULL) {
            scenario(t);
            lots(t);
            CHECK(vmclose(t->vm) == 0);
        }
        CHECK(chk_done(c) == NULL && vmdcfree(fail) == 0);
        free(c);
        t->chk = NULL;
    }
}

const ct_case_t failure_cases[] = {
    {"fail_one_request", one_request, ALL, 0, 1},
    {"fail_from_there_on", from_there_on, ALL, 0, 1},
    {"fail_vmdcfail", with_vmdcfail, ALL, 0, 1},
    {"fail_at_random", at_random, ALL, 0, 1},
    {NULL, NULL, 0, 0, 0},
};
