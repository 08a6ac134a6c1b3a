/* SPDX-License-Identifier: MIT */
/* vmalloc, vmfree, vmsize, vmaddr, sizes that cannot be, errno. */
#include "contract.h"

static void zero(ct_t *t)
{
    char *p, *q;
    ct_open(t);
    if (t->which == POOL) {
        FAILS(vmalloc(t->vm, 0), NULL, EINVAL);
        p = (char *)vmalloc(t->vm, 40); /* the size was still open */
        CHECK(p != NULL && vmsize(t->vm, p) == 40);
        FAILS(vmalloc(t->vm, 0), NULL, EINVAL);
    } else {
        p = (char *)vmalloc(t->vm, 0);
        q = (char *)vmalloc(t->vm, 0);
        CHECK(p != NULL && q != NULL && p != q);
        CHECK((uintptr_t)p % VM_ALIGN == 0 && (uintptr_t)q % VM_ALIGN == 0);
        CHECK(vmfree(t->vm, q) == 0);
    }
    ct_close(t);
}

/* Blocks of many sizes: aligned, apart, whole, with the sizes they should have. */
static void sizes(ct_t *t)
{
    enum { N = 40 };
    char *p[N];
    size_t i, n;
    ct_open(t);
    for (i = 0; i < N; i++) {
        n = ct_size(t, 1 + i * i % 67);
        p[i] = (char *)ct_one(t, n, i);
        CHECK(t->which != BEST || vmsize(t->vm, p[i]) >= (long)n);
        CHECK(t->which != POOL || vmsize(t->vm, p[i]) == (long)n);
        CHECK(t->which != LAST || vmsize(t->vm, p[i]) == (long)((n + 15) / 16 * 16));
    }
    CHECK(vmdbcheck(t->vm) == 0);
    for (i = 0; i < N; i++)
        ct_same(p[i], ct_size(t, 1 + i * i % 67), i);
    ct_close(t);
}

static void addresses(ct_t *t)
{
    char *p, *q, here;
    size_t n = ct_size(t, 100);
    ct_open(t);
    q = (char *)ct_one(t, 100, 1);
    p = (char *)ct_one(t, 100, 2);
    CHECK(vmaddr(t->vm, p) == 0);
    CHECK(vmaddr(t->vm, p + 1) == 1);
    CHECK(vmaddr(t->vm, p + n - 1) == (long)n - 1);
    CHECK(t->which == LAST || vmaddr(t->vm, q + 5) == 5);
    CHECK(vmaddr(t->vm, &here) == -1 && vmsize(t->vm, &here) == -1);
    CHECK(vmaddr(t->vm, NULL) == -1 && vmsize(t->vm, NULL) == -1);
    CHECK(vmaddr(t->vm, (char *)-1) == -1 && vmsize(t->vm, (char *)-1) == -1);
    CHECK(vmsize(t->vm, p + 1) == -1 && vmsize(t->vm, p + 16) == -1);
    CHECK(vmfree(t->vm, p) == 0);
    CHECK(vmaddr(t->vm, p) == -1 && vmsize(t->vm, p) == -1);
    ct_close(t);
}

static void pool_size(ct_t *t)
{
    char *p, *q;
    ct_open(t);
    CHECK(vmfree(t->vm, &t) == -1); /* no size yet */
    p = (char *)vmalloc(t->vm, 15);
    CHECK(p != NULL && vmsize(t->vm, p) == 15);
    FAILS(vmalloc(t->vm, 16), NULL, EINVAL);
    FAILS(vmalloc(t->vm, 14), NULL, EINVAL);
    FAILS(vmalign(t->vm, 15, 16), NULL, EINVAL);
    pat_fill(p, 0, 15, 1);
    FAILS(vmresize(t->vm, p, 16, VM_RSCOPY | VM_RSMOVE), NULL, EINVAL);
    FAILS(vmresize(t->vm, p, 1, 0), NULL, EINVAL);
    CHECK(vmresize(t->vm, p, 15, 0) == p);
    CHECK(vmresize(t->vm, p, 15, VM_RSCOPY | VM_RSMOVE | VM_RSZERO) == p);
    ct_same(p, 15, 1);
    q = (char *)vmresize(t->vm, NULL, 15, VM_RSZERO);
    CHECK(q != NULL && q != p && pat_notzero(q, 0, 15) == 15);
    CHECK(ct_nbusy(t->vm) == 2 && ct_sbusy(t->vm) == 30);
    CHECK(vmresize(t->vm, q, 0, 0) == NULL);
    CHECK(vmsize(t->vm, q) == -1 && ct_nbusy(t->vm) == 1);
    p = (char *)vmalloc(t->vm, 15);
    CHECK(t->debugged ? p != NULL && p != q : p == q); /* last in, first out; Vmdebug lets it wait */
    CHECK(vmclear(t->vm) == 0);     /* which forgets the size */
    p = (char *)vmalloc(t->vm, 13);
    CHECK(p != NULL && vmsize(t->vm, p) == 13);
    CHECK(ct_sbusy(t->vm) == 13);
    ct_close(t);
}

static void pool_resize_fixes_size(ct_t *t)
{
    char *p;
    ct_open(t);
    p = (char *)vmresize(t->vm, NULL, 24, VM_RSCOPY);
    CHECK(p != NULL && vmsize(t->vm, p) == 24);
    CHECK(vmalloc(t->vm, 32) == NULL);
    ct_close(t);
}

/* Addresses that are no blocks are refused, and nothing changes. */
static void bad_free(ct_t *t)
{
    static char still[64];
    char here[64], *p, *q, *foreign = (char *)malloc(100);
    Vmstat_t before, after;
    Vmalloc_t *other = vmopen(Vmdcheap, Vmbest, 0);
    ct_open(t);
    q = (char *)ct_one(t, 40, 1);
    p = (char *)ct_one(t, 40, 2);
    before = ct_stat(t->vm);
    KEEPS_ERRNO(CHECK(vmfree(t->vm, NULL) == 0));
    FAILS(vmfree(t->vm, here), -1, EINVAL);
    FAILS(vmfree(t->vm, still), -1, EINVAL);
    FAILS(vmfree(t->vm, foreign), -1, EINVAL);
    FAILS(vmfree(t->vm, p + 1), -1, EINVAL);
    FAILS(vmfree(t->vm, p + 16), -1, EINVAL);
    FAILS(vmfree(t->vm, (char *)1), -1, EINVAL);
    FAILS(vmfree(t->vm, (char *)-1), -1, EINVAL);
    FAILS(vmfree(t->vm, t->vm->data), -1, EINVAL);
    FAILS(vmfree(t->vm, vmalloc(other, 40)), -1, EINVAL);
    FAILS(vmresize(t->vm, here, 40, VM_RSCOPY), NULL, EINVAL);
    FAILS(vmresize(t->vm, p + 1, ct_size(t, 40), VM_RSCOPY), NULL, EINVAL);
    if (t->which == LAST)
        FAILS(vmfree(t->vm, q), -1, EINVAL);
    after = ct_stat(t->vm);
    CHECK(before.n_busy == after.n_busy && before.s_busy == after.s_busy);
    CHECK(before.s_free == after.s_free && before.extent == after.extent);
    ct_same(p, ct_size(t, 40), 2);
    ct_same(q, ct_size(t, 40), 1);
    KEEPS_ERRNO(CHECK(vmfree(t->vm, p) == 0));
    ct_close(t);
    CHECK(vmclose(other) == 0);
    free(foreign);
}

static void double_free(ct_t *t)
{
    char *p[8];
    int i;
    size_t n;
    ct_open(t);
    for (i = 0; i < 8; i++)
        p[i] = (char *)ct_one(t, 40, (uint64_t)i);
    CHECK(vmfree(t->vm, p[7]) == 0);
    n = ct_nbusy(t->vm);
    FAILS(vmfree(t->vm, p[7]), -1, EINVAL);
    if (t->which != LAST) {
        for (i = 0; i < 8; i += 2)
            CHECK(vmfree(t->vm, p[i]) == 0);
        n = ct_nbusy(t->vm);
        CHECK(n == 3);
        for (i = 0; i < 8; i += 2)
            FAILS(vmfree(t->vm, p[i]), -1, EINVAL);
        FAILS(vmresize(t->vm, p[0], 40, VM_RSCOPY), NULL, EINVAL);
        for (i = 1; i < 7; i += 2)
            ct_same(p[i], ct_size(t, 40), (uint64_t)i);
    }
    CHECK(ct_nbusy(t->vm) == n);
    ct_close(t);
}

static void last_only_last(ct_t *t)
{
    char *a, *b, *c;
    ct_open(t);
    a = (char *)ct_one(t, 10, 1);
    b = (char *)ct_one(t, 10, 2);
    CHECK(b == a + 16);
    FAILS(vmfree(t->vm, a), -1, EINVAL);
    CHECK(vmfree(t->vm, b) == 0);
    c = (char *)ct_one(t, 20, 3);
    CHECK(c == b);
    CHECK(vmsize(t->vm, c) == 32);
    CHECK(vmfree(t->vm, c) == 0);
    ct_close(t);
}

/* Freed memory is used again: a loop needs no more memory than its largest turn. */
static void reuse(ct_t *t)
{
    enum { N = 16 };
    char *p[N];
    size_t i, turn, extent = 0;
    ct_open(t);
    for (turn = 0; turn < 60; turn++) {
        for (i = 0; i < N; i++)
            p[i] = (char *)ct_one(t, 8 + i * 5, i);
        for (i = N; i-- > 0;) {
            ct_same(p[i], ct_size(t, 8 + i * 5), i);
            if (t->which != LAST)
                CHECK(vmfree(t->vm, p[i]) == 0);
        }
        if (t->which == LAST)
            CHECK(vmclear(t->vm) == 0);
        if (turn == 5)
            extent = ct_stat(t->vm).extent;
    }
    CHECK(ct_stat(t->vm).extent == extent);
    CHECK(ct_nbusy(t->vm) == 0);
    ct_close(t);
}

/* Sizes that no machine has: NULL and ENOMEM, and nothing else happens. */
/* More than a half of the addresses of 32 bits may be had. */
#define WIDE(n) (sizeof(size_t) > 4 ? (n) : SIZE_MAX / 16 * 15)

static void too_large(ct_t *t)
{
    static const size_t huge[] = {SIZE_MAX,           SIZE_MAX - 1,    SIZE_MAX - 15,
                                  SIZE_MAX - 100,     SIZE_MAX - 1000, SIZE_MAX - 4096,
                                  SIZE_MAX - 65536,   WIDE(SIZE_MAX / 2), WIDE(SIZE_MAX / 2 + 1),
                                  SIZE_MAX - (SIZE_MAX >> 10), WIDE((size_t)1 << (sizeof(size_t) * 8 - 2))};
    size_t i, before;
    char *p;
    ct_open(t);
    p = (char *)ct_one(t, 40, 1);
    before = ct_sbusy(t->vm);
    for (i = 0; i < sizeof huge / sizeof *huge; i++) {
        FAILS(vmalloc(t->vm, huge[i]), NULL, ENOMEM);
        FAILS(vmresize(t->vm, NULL, huge[i], VM_RSZERO), NULL, ENOMEM);
        FAILS(vmresize(t->vm, p, huge[i], 0), NULL, ENOMEM);
        FAILS(vmresize(t->vm, p, huge[i], VM_RSCOPY | VM_RSMOVE | VM_RSZERO), NULL, ENOMEM);
        FAILS(vmresize(t->vm, p, huge[i], VM_RSMOVE), NULL, ENOMEM);
        FAILS(vmalign(t->vm, huge[i], 64), NULL, ENOMEM);
        FAILS(vmalign(t->vm, 100, huge[i]), NULL, ENOMEM);
        FAILS(vmalign(t->vm, huge[i], huge[i]), NULL, ENOMEM);
    }
    FAILS(vmnewof(t->vm, NULL, long, SIZE_MAX / 4, 0), NULL, ENOMEM);
    FAILS(vmnewof(t->vm, NULL, long, SIZE_MAX / sizeof(long), 100), NULL, ENOMEM);
    FAILS(vmoldof(t->vm, p, long, SIZE_MAX / 2, 1), NULL, ENOMEM);
    ct_same(p, 40, 1);
    CHECK(ct_sbusy(t->vm) == before);
    ct_close(t);
}

static void pool_too_large(ct_t *t)
{
    static const size_t huge[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 4096, SIZE_MAX / 2 + 1};
    size_t i;
    for (i = 0; i < 4; i++) {
        t->disc = i % 2 ? Vmdcheap : Vmdcsystem;
        ct_open(t);
        FAILS(vmalloc(t->vm, huge[i]), NULL, ENOMEM);
        CHECK(ct_nbusy(t->vm) == 0);
        CHECK(vmclear(t->vm) == 0);
        CHECK(vmalloc(t->vm, 40) != NULL);
        ct_close(t);
    }
}

static void errno_kept(ct_t *t)
{
    char *p = NULL;
    Vmstat_t st;
    size_t n = ct_size(t, 50);
    KEEPS_ERRNO(ct_open(t));
    KEEPS_ERRNO(CHECK((p = (char *)vmalloc(t->vm, n)) != NULL));
    KEEPS_ERRNO(CHECK((p = (char *)vmresize(t->vm, p, n, VM_RSCOPY)) != NULL));
    KEEPS_ERRNO(CHECK(vmresize(t->vm, p, 0, 0) == NULL));
    KEEPS_ERRNO(CHECK(vmstat(t->vm, &st) == 0));
    KEEPS_ERRNO(CHECK(vmstat(t->vm, NULL) == 0));
    KEEPS_ERRNO(CHECK(vmdbcheck(t->vm) == 0));
    KEEPS_ERRNO(CHECK(vmregion(t->vm->data) == t->vm));
    KEEPS_ERRNO(CHECK(vmregion(&st) == NULL));
    KEEPS_ERRNO(CHECK(vmset(t->vm, 0, 0) != 0));
    KEEPS_ERRNO(CHECK(vmcompact(t->vm) == 0));
    KEEPS_ERRNO(CHECK(vmclear(t->vm) == 0));
    ct_close(t);
}

/* Much more than the first segment, so that several are needed or growth. */
static void many(ct_t *t)
{
    enum { N = 3000 };
    static char *p[N];
    size_t i;
    ct_open(t);
    for (i = 0; i < N; i++)
        p[i] = (char *)ct_one(t, 1 + i * 7 % 150, i);
    CHECK(vmdbcheck(t->vm) == 0);
    for (i = 0; i < N; i++)
        ct_same(p[i], ct_size(t, 1 + i * 7 % 150), i);
    if (t->which != LAST) {
        for (i = 0; i < N; i += 2)
            CHECK(vmfree(t->vm, p[i]) == 0);
        CHECK(vmdbcheck(t->vm) == 0);
        for (i = 1; i < N; i += 2)
            ct_same(p[i], ct_size(t, 1 + i * 7 % 150), i);
        for (i = 1; i < N; i += 2)
            CHECK(vmfree(t->vm, p[i]) == 0);
        CHECK(ct_nbusy(t->vm) == 0);
    }
    ct_close(t);
}

static void large(ct_t *t)
{
    static const size_t size[] = {100000, 5000, 700000, 70000, 65536, 65537, 4096, 4097, 131072};
    enum { N = sizeof size / sizeof *size };
    char *p[N];
    size_t i;
    ct_open(t);
    for (i = 0; i < N; i++)
        p[i] = (char *)ct_one(t, size[i], i);
    for (i = 0; i < N; i++)
        ct_same(p[i], size[i], i);
    if (t->which == BEST) {
        for (i = 0; i < N; i++)
            CHECK(vmfree(t->vm, p[(i * 4) % N]) == 0);
        CHECK(ct_nbusy(t->vm) == 0);
    }
    ct_close(t);
}

/* The buffer's end: NULL and ENOMEM, what is there stays, and what is freed serves again. */
static void exhausted(ct_t *t)
{
    enum { N = 100000 };
    static char *p[N];
    size_t i, n = 0, m = ct_size(t, 64);
    ct_open(t);
    while (t->d->capacity && t->d->capacity <= 2 * MIB && n < N && (errno = 0, p[n] = (char *)vmalloc(t->vm, m)) != NULL)
        pat_fill(p[n], 0, m, n), n++;
    if (n == 0) { /* plenty of memory */
        ct_close(t);
        return;
    }
    CHECK(errno == ENOMEM);
    CHECK(n * m >= t->d->capacity / 4);
    FAILS(vmalloc(t->vm, m), NULL, ENOMEM);
    CHECK(vmdbcheck(t->vm) == 0);
    for (i = 0; i < n; i++)
        ct_same(p[i], m, i);
    CHECK(vmfree(t->vm, p[n - 1]) == 0);
    CHECK(vmalloc(t->vm, m) != NULL);
    CHECK(vmclear(t->vm) == 0);
    for (i = 0; i < n - n / 20; i++)
        CHECK(vmalloc(t->vm, m) != NULL);
    ct_close(t);
}

const ct_case_t basic_cases[] = {
    {"zero", zero, ALL, 0, 0},
    {"sizes", sizes, ALL, 0, 0},
    {"addresses", addresses, ALL, 0, 0},
    {"pool_size", pool_size, POOL, 0, 0},
    {"pool_resize_fixes_size", pool_resize_fixes_size, POOL, 0, 0},
    {"bad_free", bad_free, ALL, 0, 0},
    {"double_free", double_free, ALL, 0, 0},
    {"last_only_last", last_only_last, LAST, 0, 0},
    {"reuse", reuse, ALL, 0, 0},
    {"too_large", too_large, GENERAL, 0, 0},
    {"pool_too_large", pool_too_large, POOL, 0, 1},
    {"errno_kept", errno_kept, ALL, 0, 0},
    {"many", many, ALL, MIB, 0},
    {"large", large, GENERAL, 2 * MIB, 0},
    {"exhausted", exhausted, ALL, 0, 0},
    {NULL, NULL, 0, 0, 0},
};
