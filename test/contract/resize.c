/* SPDX-License-Identifier: MIT */
/* vmresize and the macros over it. */
#include "contract.h"

static const int every_type[] = {0, 1, 2, 3, 4, 5, 6, 7};

/* Make memory dirty that later blocks will get. */
static void dirty(ct_t *t)
{
    static const size_t sizes[] = {16, 32, 48, 64, 100, 200, 300, 40, 24, 128};
    char *p[40];
    size_t i, n;
    for (i = 0; i < 40; i++) {
        n = ct_size(t, sizes[i % 10]);
        p[i] = (char *)vmalloc(t->vm, n);
        if (p[i])
            memset(p[i], 0xff, n);
    }
    if (t->which == LAST)
        vmclear(t->vm);
    for (i = 0; i < 40 && t->which != LAST; i++)
        CHECK(vmfree(t->vm, p[i]) == 0);
}

static void from_null(ct_t *t)
{
    size_t i, n = ct_size(t, 37);
    char *p;
    ct_open(t);
    dirty(t);
    for (i = 0; i < 8; i++) {
        p = (char *)vmresize(t->vm, NULL, n, every_type[i]);
        CHECK(p != NULL && (uintptr_t)p % VM_ALIGN == 0);
        if (every_type[i] & VM_RSZERO)
            CHECK(pat_notzero(p, 0, n) == n);
        memset(p, 0xff, n);
    }
    ct_close(t);
}

static void to_zero(ct_t *t)
{
    size_t i, n;
    char *p;
    ct_open(t);
    for (i = 0; i < 8; i++) {
        ct_one(t, 30, 0);
        n = ct_nbusy(t->vm);
        p = (char *)ct_one(t, 30, 1);
        KEEPS_ERRNO(CHECK(vmresize(t->vm, p, 0, every_type[i]) == NULL));
        CHECK(t->which == LAST || ct_nbusy(t->vm) == n);
        CHECK(vmsize(t->vm, p) == -1);
    }
    ct_close(t);
}

/* Shrinking keeps the address, whatever the type, down to one byte. */
static void shrink(ct_t *t)
{
    static const size_t sizes[] = {1000, 999, 500, 100, 64, 63, 17, 16, 15, 1};
    size_t i, j;
    char *p;
    ct_open(t);
    for (i = 0; i < 8; i++) {
        p = (char *)vmalloc(t->vm, 1000);
        if (p == NULL && t->d->capacity)
            break;
        CHECK(p != NULL);
        pat_fill(p, 0, 1000, i);
        for (j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            KEEPS_ERRNO(CHECK(vmresize(t->vm, p, sizes[j], every_type[i]) == p));
            ct_same(p, sizes[j], i);
            CHECK(vmsize(t->vm, p) >= (long)sizes[j]);
        }
    }
    CHECK(i > 1);
    ct_close(t);
}

static void shrink_large(ct_t *t)
{
    static const size_t sizes[] = {900000, 500000, 65536, 40000, 4096, 200, 8};
    size_t j;
    char *p, *q;
    ct_open(t);
    q = (char *)ct_one(t, 1, 9);
    p = (char *)ct_one(t, MIB, 1);
    for (j = 0; j < sizeof sizes / sizeof *sizes; j++) {
        CHECK(vmresize(t->vm, p, sizes[j], 0) == p);
        ct_same(p, sizes[j], 1);
        CHECK(vmdbcheck(t->vm) == 0);
    }
    ct_same(q, 1, 9);
    ct_close(t);
}

/* Type 0 is in place or not at all; refused, the block is as it was. */
static void in_place(ct_t *t)
{
    size_t n, m, busy, size;
    char *p, *q;
    int turn;
    ct_open(t);
    for (turn = 0; turn < 2; turn++) {
        n = 20;
        p = (char *)ct_one(t, n, 1);
        q = turn && t->which == BEST ? (char *)ct_one(t, n, 2) : NULL;
        for (m = n; m < 100000; m += m / 2) {
            busy = ct_sbusy(t->vm);
            size = (size_t)vmsize(t->vm, p);
            errno = 0;
            if (vmresize(t->vm, p, m, 0) == p) {
                CHECK(errno == 0);
                pat_fill(p, n, m, 1);
                n = m;
                continue;
            }
            CHECK(errno == ENOMEM);
            CHECK(ct_sbusy(t->vm) == busy && (size_t)vmsize(t->vm, p) == size);
            break;
        }
        ct_same(p, n, 1);
        if (q)
            ct_same(q, 20, 2);
        CHECK(vmdbcheck(t->vm) == 0);
    }
    ct_close(t);
}

/* RSCOPY alone moves and copies, as realloc. */
static void as_realloc(ct_t *t)
{
    static const int types[] = {VM_RSCOPY, VM_RSCOPY | VM_RSMOVE, VM_RSCOPY | VM_RSZERO};
    size_t i, n, m;
    char *p, *stop;
    ct_open(t);
    for (i = 0; i < 3; i++) {
        n = 1;
        p = (char *)ct_one(t, n, i);
        for (m = 2; m < 300000; m = m * 3 / 2 + 1) {
            stop = (char *)vmalloc(t->vm, 16); /* in the way */
            CHECK(stop != NULL);
            p = (char *)vmresize(t->vm, p, m, types[i]);
            CHECK(p != NULL && (uintptr_t)p % VM_ALIGN == 0);
            CHECK(pat_differs(p, n, i) == n);
            pat_fill(p, 0, m, i);
            n = m;
        }
        CHECK(vmdbcheck(t->vm) == 0);
    }
    ct_close(t);
}

static void move_only(ct_t *t)
{
    char *p, *q;
    size_t n;
    ct_open(t);
    p = (char *)ct_one(t, 50, 1);
    n = ct_nbusy(t->vm);
    q = (char *)ct_one(t, 50, 2);
    p = (char *)vmresize(t->vm, p, 400, VM_RSMOVE);
    CHECK(p != NULL);
    pat_fill(p, 0, 400, 3);
    ct_same(q, 50, 2);
    CHECK(t->which == LAST || ct_nbusy(t->vm) == n + 1);
    p = vmoldof(t->vm, p, char, 500, 5);
    CHECK(p != NULL);
    ct_same(q, 50, 2);
    ct_close(t);
}

/* Bytes beyond the size last asked for are zero with RSZERO: within the slack of the block, in
 * recycled memory, in place, moved, after shrinking, and for blocks that came from vmalloc(). */
static void zeroed(ct_t *t)
{
    static const size_t from[] = {1, 5, 13, 16, 17, 30, 33, 50, 100};
    static const size_t plus[] = {1, 2, 3, 7, 11, 15, 16, 31, 100, 300};
    static const int types[] = {VM_RSZERO, VM_RSZERO | VM_RSCOPY,
                                VM_RSZERO | VM_RSCOPY | VM_RSMOVE};
    size_t i, j, k, n, m;
    char *p, *q;
    ct_open(t);
    for (k = 0; k < 3; k++)
        for (i = 0; i < sizeof from / sizeof *from; i++)
            for (j = 0; j < sizeof plus / sizeof *plus; j++) {
                if (t->which == LAST)
                    vmclear(t->vm);
                dirty(t);
                n = from[i];
                m = n + plus[j];
                p = (char *)ct_one(t, n, 7);
                q = (char *)vmresize(t->vm, p, m, types[k]);
                if (q == NULL) {
                    CHECK(k == 0 || t->d->capacity);
                    CHECK(t->which == LAST || vmfree(t->vm, p) == 0);
                    continue;
                }
                CHECK(k > 0 || q == p);
                CHECK(pat_differs(q, n, 7) == n);
                CHECK(pat_notzero(q, n, m) == m);
                memset(q, 0xff, m);
                CHECK(vmresize(t->vm, q, n, 0) == q); /* and down and up again */
                p = (char *)vmresize(t->vm, q, m, types[k]);
                CHECK(p != NULL || k == 0);
                CHECK(p == NULL || pat_notzero(p, n, m) == m);
                CHECK(t->which == LAST || vmfree(t->vm, p ? p : q) == 0);
            }
    ct_close(t);
}

static void newof(ct_t *t)
{
    struct thing {
        long a, b;
    } *p, *q;
    size_t i;
    ct_open(t);
    for (i = 0; i < 20; i++) {
        p = vmnewof(t->vm, NULL, struct thing, 3, 5);
        CHECK(p != NULL && pat_notzero(p, 0, 3 * sizeof *p + 5) == 3 * sizeof *p + 5);
        memset(p, 0xff, 3 * sizeof *p + 5);
        vmalloc(t->vm, 1);
        q = vmnewof(t->vm, p, struct thing, 9, 0);
        CHECK(q != NULL && q[2].b == -1);
        if (t->which == BEST)
            CHECK(pat_notzero(q, 3 * sizeof *p + 5, 9 * sizeof *p) == 9 * sizeof *p);
        memset(q, 0xff, 9 * sizeof *q);
        if (t->which == BEST)
            CHECK(vmfree(t->vm, q) == 0);
        else
            CHECK(vmclear(t->vm) == 0);
    }
    ct_close(t);
}

/* An earlier block of Vmlast: not in place; moved with what can be known of its contents, and
 * without the neighbour's. */
static void last_earlier(ct_t *t)
{
    char *a, *b, *q;
    ct_open(t);
    a = (char *)ct_one(t, 40, 1);
    b = (char *)ct_one(t, 40, 2);
    CHECK(vmresize(t->vm, a, 100, 0) == NULL);
    CHECK(vmresize(t->vm, a, 10, 0) == NULL);
    ct_same(a, 40, 1);
    q = (char *)vmresize(t->vm, a, 200, VM_RSCOPY | VM_RSMOVE | VM_RSZERO);
    CHECK(q != NULL && q != a);
    ct_same(q, 40, 1);
    CHECK(pat_notzero(q, 48, 200) == 200); /* 48: sizes are rounded there */
    ct_same(b, 40, 2);
    CHECK(vmsize(t->vm, q) == 208); /* it is the last now */
    ct_close(t);
}

static void last_grows(ct_t *t)
{
    char *a, *b;
    ct_open(t);
    a = (char *)ct_one(t, 10, 1);
    b = (char *)ct_one(t, 10, 2);
    CHECK(vmresize(t->vm, b, 256, VM_RSCOPY) == b);
    CHECK(vmsize(t->vm, b) == 256);
    ct_same(b, 10, 2);
    CHECK(vmresize(t->vm, b, 16, 0) == b && vmsize(t->vm, b) == 16);
    CHECK((char *)ct_one(t, 5, 3) == b + 16);
    ct_same(a, 10, 1);
    ct_close(t);
}

/* Where there is no more memory: the block survives a resize that fails. */
static void fails_whole(ct_t *t)
{
    char *p;
    size_t busy, size;
    ct_open(t);
    ct_one(t, 40, 2);
    p = (char *)ct_one(t, 500, 1);
    busy = ct_sbusy(t->vm);
    size = (size_t)vmsize(t->vm, p);
    if (t->d->capacity && t->d->capacity <= 2 * MIB) {
        FAILS(vmresize(t->vm, p, 2 * MIB, VM_RSCOPY | VM_RSMOVE), NULL, ENOMEM);
        FAILS(vmresize(t->vm, p, 2 * MIB, 0), NULL, ENOMEM);
    }
    CHECK((size_t)vmsize(t->vm, p) == size && ct_sbusy(t->vm) == busy);
    ct_same(p, 500, 1);
    ct_close(t);
}

/* Neighbours that were freed give their room to a block between them that grows. */
static void grows_into_free(ct_t *t)
{
    char *p[3];
    size_t i;
    ct_open(t);
    for (i = 0; i < 3; i++)
        p[i] = (char *)ct_one(t, 100000, i);
    CHECK(vmfree(t->vm, p[2]) == 0);
    CHECK(vmresize(t->vm, p[1], 30000, 0) == p[1]);
    CHECK(vmresize(t->vm, p[1], 90000, 0) == p[1]);
    ct_same(p[1], 30000, 1);
    ct_same(p[0], 100000, 0);
    ct_close(t);
}

const ct_case_t resize_cases[] = {
    {"from_null", from_null, ALL, 8 * KIB, 0},
    {"to_zero", to_zero, ALL, 0, 0},
    {"shrink", shrink, GENERAL, 8 * KIB, 0},
    {"shrink_large", shrink_large, GENERAL, 4 * MIB, 0},
    {"in_place", in_place, GENERAL, 0, 0},
    {"as_realloc", as_realloc, GENERAL, 8 * MIB, 0},
    {"move_only", move_only, GENERAL, 8 * KIB, 0},
    {"zeroed", zeroed, GENERAL, 64 * KIB, 0},
    {"newof", newof, GENERAL, 8 * KIB, 0},
    {"last_earlier", last_earlier, LAST, 0, 0},
    {"last_grows", last_grows, LAST, 0, 0},
    {"fails_whole", fails_whole, GENERAL, 0, 0},
    {"grows_into_free", grows_into_free, BEST, 2 * MIB, 0},
    {NULL, NULL, 0, 0, 0},
};
