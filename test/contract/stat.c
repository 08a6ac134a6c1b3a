/* SPDX-License-Identifier: MIT */
/* Statistics are exact at every moment. */
#include "contract.h"

static void empty(ct_t *t)
{
    Vmstat_t st;
    ct_open(t);
    st = ct_stat(t->vm);
    CHECK(st.n_busy == 0 && st.s_busy == 0 && st.m_busy == 0);
    CHECK(st.n_seg == 1 && st.extent > 0 && st.m_extent == st.extent);
    CHECK(st.s_free <= st.extent && st.m_free <= st.s_free);
    CHECK(st.n_region == 1 && st.n_open == 0);
    CHECK(strlen(st.mesg) > 0 && strlen(st.mesg) < sizeof st.mesg && st.name[0] == 0);
    if (t->chk)
        CHECK(t->chk->bytes == st.extent);
    ct_close(t);
}

/* Sum over our blocks against what the region says. */
static void agrees(ct_t *t, char **p, size_t n)
{
    Vmstat_t st = ct_stat(t->vm);
    size_t i, count = 0, bytes = 0, most = 0;
    for (i = 0; i < n; i++)
        if (p[i] != NULL) {
            size_t size = (size_t)vmsize(t->vm, p[i]);
            count++;
            bytes += size;
            most = size > most ? size : most;
        }
    CHECK(st.n_busy == count && st.s_busy == bytes);
    CHECK(st.m_busy == most);
    CHECK(st.s_busy + st.s_free <= st.extent);
    CHECK(st.n_cache <= st.n_free && st.s_cache <= st.s_free);
    if (t->chk)
        CHECK(t->chk->bytes == st.extent && t->chk->nsegs == st.n_seg);
}

static void blocks(ct_t *t)
{
    enum { N = 60 };
    char *p[N] = {NULL};
    uint64_t seed = 5;
    size_t i, k;
    ct_open(t);
    for (k = 0; k < 400; k++) {
        i = rnd_below(&seed, N);
        if (p[i] == NULL)
            p[i] = (char *)vmalloc(t->vm, ct_size(t, 1 + rnd_below(&seed, 120)));
        else if (t->which == BEST && k % 3 == 0) {
            char *q = (char *)vmresize(t->vm, p[i], 1 + rnd_below(&seed, 200), (int)(k % 4));
            p[i] = q ? q : p[i];
        } else {
            CHECK(vmfree(t->vm, p[i]) == 0);
            p[i] = NULL;
        }
        if (k % 7 == 0)
            agrees(t, p, N);
    }
    for (i = 0; i < N; i++)
        CHECK(vmfree(t->vm, p[i]) == 0);
    memset(p, 0, sizeof p);
    agrees(t, p, N);
    ct_close(t);
}

/* Large blocks too. */
static void large_blocks(ct_t *t)
{
    enum { N = 12 };
    char *p[N] = {NULL};
    uint64_t seed = 9;
    size_t i, k;
    ct_open(t);
    for (k = 0; k < 150; k++) {
        i = rnd_below(&seed, N);
        if (p[i] == NULL)
            p[i] = (char *)vmalloc(t->vm, 1 + rnd_below(&seed, 200000));
        else {
            CHECK(vmfree(t->vm, p[i]) == 0);
            p[i] = NULL;
        }
        agrees(t, p, N);
    }
    CHECK(ct_stat(t->vm).m_extent >= ct_stat(t->vm).extent);
    ct_close(t);
}

static void last_stretches(ct_t *t)
{
    char *p;
    ct_open(t);
    p = (char *)ct_one(t, 123, 1);
    CHECK(ct_sbusy(t->vm) >= 123 && ct_nbusy(t->vm) == 1);
    CHECK(vmfree(t->vm, p) == 0);
    CHECK(ct_sbusy(t->vm) == 0 && ct_nbusy(t->vm) == 0);
    ct_one(t, 123, 1);
    ct_one(t, 100, 1);
    CHECK(ct_sbusy(t->vm) >= 223 && ct_sbusy(t->vm) <= 300);
    ct_close(t);
}

static void pool_exact(ct_t *t)
{
    char *p, *q;
    ct_open(t);
    p = (char *)vmalloc(t->vm, 13);
    CHECK(ct_sbusy(t->vm) == 13 && ct_nbusy(t->vm) == 1 && ct_stat(t->vm).m_busy == 13);
    q = (char *)vmalloc(t->vm, 13);
    CHECK(ct_sbusy(t->vm) == 26 && ct_nbusy(t->vm) == 2);
    CHECK(vmfree(t->vm, p) == 0 && vmfree(t->vm, q) == 0);
    CHECK(ct_sbusy(t->vm) == 0 && ct_nbusy(t->vm) == 0);
    ct_close(t);
}

/* What Vmbest rounds away is small. */
static void rounding(ct_t *t)
{
    size_t n, before, asked = 0;
    ct_open(t);
    for (n = 1; n < 20000; n += 1 + n / 9) {
        CHECK(vmalloc(t->vm, n) != NULL);
        asked += n;
    }
    CHECK(ct_sbusy(t->vm) >= asked && ct_sbusy(t->vm) <= asked + asked / 4 + 32 * KIB);
    before = ct_sbusy(t->vm);
    CHECK(vmalloc(t->vm, 123) != NULL);
    CHECK(ct_sbusy(t->vm) - before >= 123 && ct_sbusy(t->vm) - before <= 155);
    ct_close(t);
}

const ct_case_t stat_cases[] = {
    {"stat_empty", empty, ALL, 0, 0},
    {"stat_blocks", blocks, BEST | POOL, 64 * KIB, 0},
    {"stat_large", large_blocks, BEST, 4 * MIB, 0},
    {"stat_last", last_stretches, LAST, 0, 0},
    {"stat_pool", pool_exact, POOL, 0, 0},
    {"stat_rounding", rounding, BEST, 2 * MIB, 0},
    {NULL, NULL, 0, 0, 0},
};
