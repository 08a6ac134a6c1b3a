/* SPDX-License-Identifier: MIT */
/* What memoryf is asked: sizes for every round, growth, shrinking, release.  The discipline itself
 * checks each call (support/checking.h); here regions are driven to make the calls. */
#include "contract.h"

/* Allocate, free, resize, compact: everything that moves segments. */
static void drive(ct_t *t)
{
    enum { N = 64 };
    char *p[N] = {NULL};
    size_t size[N] = {0}, i, k;
    uint64_t seed = 77;
    char *q;
    for (k = 0; k < 400; k++) {
        i = rnd_below(&seed, N);
        if (p[i] == NULL) {
            size[i] = ct_size(t, 1 + rnd_below(&seed, k % 9 ? 300 : 20000));
            p[i] = (char *)ct_one(t, size[i], i);
        } else if (k % 2 && t->which != LAST) {
            ct_same(p[i], size[i], i);
            CHECK(vmfree(t->vm, p[i]) == 0);
            p[i] = NULL;
        } else if (t->which == BEST) {
            size_t n = 1 + rnd_below(&seed, 3000);
            q = (char *)vmresize(t->vm, p[i], n, k % 3 ? VM_RSCOPY : 0);
            if (q != NULL) {
                CHECK(pat_differs(q, n < size[i] ? n : size[i], i) == (n < size[i] ? n : size[i]));
                pat_fill(q, 0, n, i);
                p[i] = q;
                size[i] = n;
            }
        }
        if (k % 97 == 0)
            CHECK(vmcompact(t->vm) == 0);
        CHECK(t->chk->error[0] == 0);
    }
    for (i = 0; i < N; i++)
        if (p[i] != NULL)
            ct_same(p[i], size[i], i);
    CHECK(vmdbcheck(t->vm) == 0);
    CHECK(ct_stat(t->vm).extent == t->chk->bytes);
    for (i = 0; i < N && t->which != LAST; i++)
        CHECK(vmfree(t->vm, p[i]) == 0);
    if (t->which == LAST)
        CHECK(vmclear(t->vm) == 0);
    CHECK(vmcompact(t->vm) == 0);
    CHECK(t->chk->error[0] == 0);
}

static void rounds(ct_t *t)
{
    static const size_t round[] = {0, 1, 3, 8, 16, 24, 64, 100, 127, 1000, 4096, 5000, 65536, 100000};
    size_t i, s;
    for (i = 0; i < sizeof round / sizeof *round; i++)
        for (s = 0; s < 4; s++) {
            chk_t *c = chk_new(round[i], s & 1 ? CHK_RESERVE : CHK_MALLOC,
                               s == 0 ? CHK_REFUSE : s == 2 ? CHK_NEWSEG : CHK_INPLACE);
            c->odd = s == 3 ? 9 : 0;
            ct_openchk(t, c);
            drive(t);
            ct_closechk(t);
        }
}

/* The increment is that of the time of vmopen(). */
static void round_changes_late(ct_t *t)
{
    chk_t *c = chk_new(4096, CHK_MALLOC, CHK_REFUSE);
    size_t i;
    ct_openchk(t, c);
    c->disc.round = 4096 * 3; /* the check would see multiples of the new one only */
    for (i = 0; i < 200; i++)
        ct_one(t, 200, i);
    c->error[0] = 0;
    for (i = 0; i < c->nsegs; i++)
        CHECK(c->segs[i].size % 4096 == 0);
    c->disc.round = 4096;
    ct_closechk(t);
}

static void grows_in_place(ct_t *t)
{
    chk_t *c = chk_new(4096, CHK_RESERVE, CHK_INPLACE);
    size_t i;
    ct_openchk(t, c);
    for (i = 0; i < 3000; i++)
        ct_one(t, 500, i);
    CHECK(c->nsegs == 1 && c->grows > 0);
    CHECK(ct_stat(t->vm).n_seg == 1 && ct_stat(t->vm).extent == c->bytes);
    ct_closechk(t);
}

/* What is free at the end is given back by vmcompact(), whichever way the discipline takes it. */
static void gives_back(ct_t *t)
{
    size_t how;
    for (how = 0; how < 2; how++) {
        chk_t *c = chk_new(4096, how ? CHK_RESERVE : CHK_MALLOC, how ? CHK_INPLACE : CHK_REFUSE);
        enum { N = 2000 };
        static char *p[N];
        size_t i, most;
        ct_openchk(t, c);
        for (i = 0; i < N; i++)
            p[i] = (char *)ct_one(t, 1000, i);
        most = c->bytes;
        if (t->which == LAST)
            CHECK(vmclear(t->vm) == 0);
        for (i = N; i-- > 1 && t->which != LAST;)
            CHECK(vmfree(t->vm, p[i]) == 0);
        CHECK(vmcompact(t->vm) == 0);
        CHECK(c->bytes <= most / 4 && ct_stat(t->vm).extent == c->bytes);
        CHECK(ct_stat(t->vm).m_extent >= most);
        CHECK(t->which == LAST || pat_differs(p[0], 40, 0) == 40);
        for (i = 1; i < N; i++)
            ct_one(t, 1000, i);
        ct_closechk(t);
    }
}

/* A discipline that takes nothing back: the region keeps the memory and goes on using it. */
static void nothing_taken_back(ct_t *t)
{
    chk_t *c = chk_new(4096, CHK_MALLOC, CHK_REFUSE);
    size_t turn, extent = 0;
    c->keep = 1;
    ct_openchk(t, c);
    for (turn = 0; turn < 6; turn++) {
        drive(t);
        CHECK(vmclear(t->vm) == 0);
        if (turn == 3)
            extent = c->bytes;
    }
    CHECK(c->bytes == extent);
    CHECK(ct_stat(t->vm).extent == c->bytes);
    CHECK(vmclose(t->vm) == 0); /* a refusal is no obstacle */
    CHECK(c->error[0] == 0);
    t->chk = NULL;
    chk_drop(c);
}

/* The discipline lies in the region that is closed, and its memory is gone before VM_ENDCLOSE. */
typedef struct inner {
    Vmdisc_t disc;
    chk_t *real;
} inner_t;
static int ended;

static void *inner_memory(Vmalloc_t *vm, void *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    chk_t *real = ((inner_t *)disc)->real;
    return chk_memory(vm, addr, csize, nsize, &real->disc);
}

static int inner_except(Vmalloc_t *vm, int type, void *obj, Vmdisc_t *disc)
{
    (void)vm, (void)obj, (void)disc;
    ended += type == VM_ENDCLOSE;
    return 0;
}

static void discipline_inside(ct_t *t)
{
    chk_t *c = chk_new(4096, CHK_MALLOC, CHK_REFUSE);
    inner_t first = {{inner_memory, inner_except, 4096, 0}, NULL}, *in;
    size_t i;
    first.real = c;
    ended = 0;
    t->vm = vmopen(&first.disc, t->meth, t->flags);
    CHECK(t->vm != NULL);
    t->psize = sizeof first;
    in = (inner_t *)vmalloc(t->vm, sizeof first);
    *in = first;
    CHECK(vmdisc(t->vm, &in->disc) == &first.disc);
    memset(&first, 0, sizeof first);
    for (i = 0; i < 500; i++)
        CHECK(vmalloc(t->vm, ct_size(t, 100)) != NULL);
    CHECK(c->nsegs > 1);
    CHECK(vmclose(t->vm) == 0);
    CHECK(chk_done(c) == NULL && ended == 1);
    free(c);
}

/* Four arrays of 1 MiB: not next to each other, and that is all there is. */
static void segmented(ct_t *t)
{
    chk_t *c = chk_new(65536, CHK_ARRAYS, CHK_REFUSE);
    size_t n = 0, m = ct_size(t, 1000), turn, first = 0;
    static char *p[100000];
    ct_openchk(t, c);
    for (turn = 0; turn < 2; turn++) {
        for (n = 0; n < 100000 && (p[n] = (char *)vmalloc(t->vm, m)) != NULL; n++)
            pat_fill(p[n], 0, m, n);
        CHECK(c->nsegs == 4 && n * m > 128 * KIB);
        CHECK(vmdbcheck(t->vm) == 0);
        for (first = turn ? first : n; n-- > 0;) {
            ct_same(p[n], m, n);
            CHECK(t->which == LAST || vmfree(t->vm, p[n]) == 0);
        }
        if (t->which == LAST)
            CHECK(vmclear(t->vm) == 0);
        CHECK(t->which == POOL || vmalloc(t->vm, 2 * MIB) == NULL);
    }
    ct_closechk(t);
}

const ct_case_t segment_cases[] = {
    {"rounds", rounds, ALL, 0, 1},
    {"round_changes_late", round_changes_late, ALL, 0, 1},
    {"grows_in_place", grows_in_place, ALL, 0, 1},
    {"gives_back", gives_back, ALL, 0, 1},
    {"nothing_taken_back", nothing_taken_back, ALL, 0, 1},
    {"discipline_inside", discipline_inside, ALL, 0, 1},
    {"segmented", segmented, ALL, 0, 1},
    {NULL, NULL, 0, 0, 0},
};
