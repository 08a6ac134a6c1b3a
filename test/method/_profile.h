/* SPDX-License-Identifier: MIT */
/* What the profile of this process says, summed up over its records. */
#ifndef TEST_PROFILE_H
#define TEST_PROFILE_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "profile.h"

typedef struct figures {
    uint64_t sites, calls, bytes, live, livebytes, high, highbytes, shortlived, resizes, growth,
        copied, samples, unused, sizes, lives;
} figures_t;

static inline uint64_t own_or(int marked, uint64_t put_aside, uint64_t now)
{
    return marked ? put_aside : now;
}

static inline void add_site(figures_t *f, const Vmpfsite_t *s)
{
    uint32_t mark = vmpf.head->mark;
    f->sites++;
    f->calls += s->calls;
    f->bytes += s->bytes;
    f->live += s->calls - s->frees - s->rfrees;
    f->livebytes += s->bytes - s->freed - s->rfreed;
    f->high += own_or(s->mark == mark, s->highcalls, s->calls - s->frees) -
               own_or(s->rmark == mark, s->rhighcalls, s->rfrees);
    f->highbytes += own_or(s->mark == mark, s->highbytes, s->bytes - s->freed) -
                    own_or(s->rmark == mark, s->rhighbytes, s->rfreed);
    f->shortlived += s->shortlived + s->rshort;
    f->resizes += s->resizes;
    f->growth += s->growth;
    f->copied += s->copied;
    f->samples += s->samples;
    f->unused += s->unused;
    for (int i = 0; i < VMPF_NSIZES; i++)
        f->sizes += s->sizes[i];
    for (int i = 0; i < VMPF_NLIVES; i++)
        f->lives += s->lives[i] + s->rlives[i];
}

/* Of the region with that record number, 0: of all. */
static inline figures_t figures(uint32_t region)
{
    figures_t f;
    memset(&f, 0, sizeof f);
    for (size_t at = VMPF_UNIT; at < vmpf.used;) {
        const Vmpfsection_t *s = (const Vmpfsection_t *)((const char *)vmpf.head + at);
        const Vmpfsite_t *site = (const Vmpfsite_t *)(s + 1);
        for (size_t n = s->type == VMPF_SITES ? s->used / sizeof *site : 0; n > 0; n--, site++)
            if (site->region != 0 && site->calls != 0 && (region == 0 || site->region == region))
                add_site(&f, site);
        at += s->size;
    }
    return f;
}

static inline const Vmpfregion_t *record_of(Vmalloc_t *vm)
{
    return VMPF_AT(Vmpfregion_t, vmpf_of(vm)->record);
}

static inline figures_t of_region(Vmalloc_t *vm)
{
    return figures(record_of(vm)->number);
}

#endif
