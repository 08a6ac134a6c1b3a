/* SPDX-License-Identifier: MIT */
/* The disciplines that the suite runs over: the library's, and users' own ones of all manners. */
#include "contract.h"

#include <fcntl.h>

static Vmdisc_t *make_system(ct_t *t)
{
    (void)t;
    return Vmdcsystem;
}

static Vmdisc_t *make_heap(ct_t *t)
{
    (void)t;
    return Vmdcheap;
}

/* *Vmdcheap copied, with another round, as old programs do. */
static Vmdisc_t *make_copied(ct_t *t)
{
    static Vmdisc_t copy;
    copy = *Vmdcheap;
    copy.round = t->d->arg;
    return &copy;
}

/* arg: round; odd: in the parent itself, else in Vmheap. */
static Vmdisc_t *make_derived(ct_t *t)
{
    Vmdisc_t *d;
    t->parent = vmopen(Vmdcsystem, Vmbest, 0);
    CHECK(t->parent != NULL);
    d = vmdcderive(t->parent, (ssize_t)(t->d->arg & ~(size_t)1), !(t->d->arg & 1));
    CHECK(d != NULL);
    return d;
}

/* The derived discipline has gone with the region that used it. */
static void drop_derived(ct_t *t)
{
    CHECK(vmdbcheck(t->parent) == 0);
    CHECK(ct_nbusy(t->parent) == 0);
    CHECK(vmclose(t->parent) == 0);
}

/* arg: how far behind an aligned address the buffer starts. */
static Vmdisc_t *make_fixed(ct_t *t)
{
    t->buffer = (char *)malloc(t->d->capacity + t->d->arg);
    memset(t->buffer, CHK_NEW, t->d->capacity + t->d->arg);
    return vmdcfixed(t->buffer + t->d->arg, t->d->capacity);
}

static void drop_fixed(ct_t *t)
{
    CHECK(vmdcfree(t->disc) == 0);
    free(t->buffer);
}

static Vmdisc_t *make_fixedin(ct_t *t)
{
    t->buffer = (char *)malloc(t->d->capacity + t->d->arg);
    memset(t->buffer, CHK_NEW, t->d->capacity + t->d->arg);
    return vmdcfixedin(t->buffer + t->d->arg, t->d->capacity);
}

static void drop_buffer(ct_t *t)
{
    free(t->buffer);
}

static void drop_made(ct_t *t)
{
    CHECK(vmdcfree(t->disc) == 0);
}

static Vmdisc_t *make_huge(ct_t *t)
{
    (void)t;
    return vmdchuge(0, VM_HUGEANY);
}

static Vmdisc_t *make_numa(ct_t *t)
{
    (void)t;
    return vmdcnuma(VM_NUMAPREFER, 1);
}

static Vmdisc_t *make_limit(ct_t *t)
{
    (void)t;
    return vmdclimit(Vmdcsystem, 0, 64 * MIB, NULL, NULL);
}

static void drop_limit(ct_t *t)
{
    CHECK(vmdclimited(t->disc) == 0);
    CHECK(vmdcfree(t->disc) == 0);
}

static Vmdisc_t *make_guard(ct_t *t)
{
    (void)t;
    return vmdcguard();
}

static Vmdisc_t *make_fail(ct_t *t)
{
    (void)t;
    return vmdcfail(Vmdcheap, 0, 0, 0, 0);
}

static Vmdisc_t *make_log(ct_t *t)
{
    static int fd = -1;
    (void)t;
    if (fd < 0)
        fd = open("/dev/null", O_WRONLY);
    CHECK(fd >= 0);
    return vmdclog(Vmdcheap, fd);
}

/* Users' own: arg packs round, odd, source and growth. */
#define OWN(round, odd, source, growth)                                                          \
    ((uint64_t)(round) << 16 | (uint64_t)(odd) << 8 | (uint64_t)(source) << 4 | (uint64_t)(growth))

static Vmdisc_t *make_own(ct_t *t)
{
    uint64_t a = t->d->arg;
    t->chk = chk_new((size_t)(a >> 16), (enum chk_source)(a >> 4 & 15), (enum chk_growth)(a & 15));
    t->chk->odd = a >> 8 & 255;
    return &t->chk->disc;
}

static void drop_own(ct_t *t)
{
    CHECK(chk_done(t->chk) == NULL);
    free(t->chk);
    t->chk = NULL;
}

const ct_disc_t ct_discs[] = {
    {"system", make_system, NULL, 0, 0},
    {"heap", make_heap, NULL, 0, 0},
    {"copied", make_copied, NULL, 0, 127},
    {"derived", make_derived, drop_derived, 0, 0},
    {"derived-inside", make_derived, drop_derived, 0, 4096 + 1},
    {"fixed-4k", make_fixed, drop_fixed, 4 * KIB + 1, 1},
    {"fixed-64k", make_fixed, drop_fixed, 64 * KIB, 0},
    {"fixed-1m", make_fixed, drop_fixed, MIB, 7},
    {"fixedin-64k", make_fixedin, drop_buffer, 64 * KIB, 3},
    {"huge", make_huge, drop_made, 0, 0},
    {"numa", make_numa, drop_made, 0, 0},
    {"limit", make_limit, drop_limit, 64 * MIB, 0},
    {"guard", make_guard, drop_made, 0, 0},
    {"fail", make_fail, drop_made, 0, 0},
    {"log", make_log, drop_made, 0, 0},
    {"refusing-64", make_own, drop_own, 0, OWN(64, 0, CHK_MALLOC, CHK_REFUSE)},
    {"page", make_own, drop_own, 0, OWN(0, 0, CHK_MALLOC, CHK_REFUSE)},
    {"round-127", make_own, drop_own, 0, OWN(127, 0, CHK_RESERVE, CHK_INPLACE)},
    {"round-1", make_own, drop_own, 0, OWN(1, 0, CHK_RESERVE, CHK_INPLACE)},
    {"in-place", make_own, drop_own, 0, OWN(4096, 0, CHK_RESERVE, CHK_INPLACE)},
    {"odd", make_own, drop_own, 0, OWN(4096, 5, CHK_MALLOC, CHK_REFUSE)},
    {"odd-in-place", make_own, drop_own, 0, OWN(1000, 1, CHK_RESERVE, CHK_INPLACE)},
    {"new-segment", make_own, drop_own, 0, OWN(4096, 0, CHK_MALLOC, CHK_NEWSEG)},
    {"new-segment-odd", make_own, drop_own, 0, OWN(48, 3, CHK_MALLOC, CHK_NEWSEG)},
    {"segmented", make_own, drop_own, MIB, OWN(MIB, 0, CHK_ARRAYS, CHK_REFUSE)},
    {NULL, NULL, NULL, 0, 0},
};
