/* SPDX-License-Identifier: MIT */
/* vmalign: every number is an alignment. */
#include "contract.h"

static void refused(ct_t *t)
{
    ct_open(t);
    FAILS(vmalign(t->vm, 0, 8), NULL, EINVAL);
    FAILS(vmalign(t->vm, 8, 0), NULL, EINVAL);
    FAILS(vmalign(t->vm, 0, 0), NULL, EINVAL);
    CHECK(ct_nbusy(t->vm) == 0);
    ct_close(t);
}

static void aligned(ct_t *t, size_t size, size_t align, int strict)
{
    char *p = (char *)vmalign(t->vm, size, align);
    if (p == NULL && !strict)
        return;
    CHECK(p != NULL);
    CHECK((uintptr_t)p % align == 0 && (uintptr_t)p % VM_ALIGN == 0);
    pat_fill(p, 0, size, align);
    CHECK(t->which != BEST || vmsize(t->vm, p) >= (long)size);
    CHECK(vmaddr(t->vm, p) == 0);
}

static void small_aligns(ct_t *t)
{
    static const size_t aligns[] = {1, 2, 3, 8, 13, 16, 24, 32, 48, 64};
    static const size_t sizes[] = {1, 13, 100};
    size_t i, j;
    ct_open(t);
    for (i = 0; i < sizeof aligns / sizeof *aligns; i++)
        for (j = 0; j < 3; j++) {
            aligned(t, sizes[j], aligns[i], t->d->capacity == 0 || t->d->capacity > 64 * KIB);
            CHECK(vmdbcheck(t->vm) == 0);
        }
    ct_close(t);
}

static void all_aligns(ct_t *t)
{
    static const size_t odd[] = {13, 24, 48, 100, 1000, 3000, 12345};
    static const size_t sizes[] = {1, 13, 500, 9000};
    size_t i, j;
    ct_open(t);
    for (j = 0; j < 4; j++) {
        for (i = 1; i <= 65536; i *= 2)
            aligned(t, sizes[j], i, 1);
        for (i = 0; i < sizeof odd / sizeof *odd; i++)
            aligned(t, sizes[j], odd[i], 1);
    }
    CHECK(vmdbcheck(t->vm) == 0);
    ct_close(t);
}

/* Contents hold beside each other; blocks can be resized and freed as any. */
static void ordinary(ct_t *t)
{
    enum { N = 60 };
    static const size_t aligns[] = {16, 64, 13, 4096, 24, 256};
    char *p[N];
    size_t i, n;
    ct_open(t);
    for (i = 0; i < N; i++) {
        n = 10 + i * 9;
        p[i] = (char *)vmalign(t->vm, n, aligns[i % 6]);
        CHECK(p[i] != NULL && (uintptr_t)p[i] % aligns[i % 6] == 0);
        pat_fill(p[i], 0, n, i);
    }
    for (i = 0; i < N; i++)
        ct_same(p[i], 10 + i * 9, i);
    CHECK(vmdbcheck(t->vm) == 0);
    if (t->which == BEST) {
        for (i = 0; i < N; i += 3) {
            p[i] = (char *)vmresize(t->vm, p[i], 800, VM_RSCOPY);
            CHECK(p[i] != NULL);
            ct_same(p[i], 10 + i * 9, i);
        }
        CHECK(ct_nbusy(t->vm) == N);
        for (i = 0; i < N; i++)
            CHECK(vmfree(t->vm, p[i]) == 0);
        CHECK(ct_nbusy(t->vm) == 0);
    } else
        CHECK(vmfree(t->vm, p[N - 1]) == 0);
    ct_close(t);
}

/* A hundred at 4096: what the alignment wasted is not lost for small blocks. */
static void waste_is_used(ct_t *t)
{
    size_t i, extent;
    ct_open(t);
    for (i = 0; i < 100; i++)
        CHECK(vmalign(t->vm, 100, 4096) != NULL);
    extent = ct_stat(t->vm).extent;
    CHECK(extent >= 99 * 4096);
    for (i = 0; i < 500; i++)
        CHECK(vmalloc(t->vm, 64) != NULL);
    CHECK(ct_stat(t->vm).extent <= extent + extent / 2 + 4 * MIB);
    ct_close(t);
}

const ct_case_t align_cases[] = {
    {"align_refused", refused, ALL, 0, 0},
    {"small_aligns", small_aligns, GENERAL, 8 * KIB, 0},
    {"all_aligns", all_aligns, GENERAL, 2 * MIB, 0},
    {"align_ordinary", ordinary, GENERAL, MIB, 0},
    {"align_waste", waste_is_used, BEST, 4 * MIB, 0},
    {NULL, NULL, 0, 0, 0},
};
