/* SPDX-License-Identifier: MIT */
/*
 * vmmaddress: addresses for memory that several processes map at the same place.
 *
 *   0   program   | FIRST ... LAST |   libraries, mmap(), stack
 *
 * Systems place what they choose themselves near both ends of the address space; what lies between is
 * handed out upwards from a chance number, so that images that are made by different processes are
 * likely to be open in one process together.  Each range is looked at before it is told, and never told
 * twice in a process.
 */
#include "base.h"

#include <errno.h>
#include <vmalloc.h>

#define UNIT ((uint64_t)VMB_LEAFSPAN)
#if defined(__SANITIZE_THREAD__) /* which has other plans for most of the addresses */
#define FIRST ((uint64_t)0x1000000000 / UNIT)
#define LAST ((uint64_t)0x7f00000000 / UNIT)
#elif UINTPTR_MAX > 0xffffffffu
#define FIRST ((uint64_t)0x100000000000 / UNIT)
#define LAST ((uint64_t)0x500000000000 / UNIT)
#else
#define FIRST ((uint64_t)0x50000000 / UNIT)
#define LAST ((uint64_t)0xa0000000 / UNIT)
#endif
#define TRIES 1000

/* In units: where the first was taken, 0: not yet; and how many were, once around. */
static uint64_t start, taken;

static uint64_t begun(void)
{
    uint64_t at = __atomic_load_n(&start, __ATOMIC_RELAXED), to = FIRST;

    if (at == 0) {
        to += vmos_random() % (LAST - FIRST);
        if (__atomic_compare_exchange_n(&start, &at, to, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            at = to;
    }
    return at;
}

/* The next n units, whatever lies there; 0: there are not so many. */
static uint64_t next(uint64_t n)
{
    uint64_t from = begun(), t = __atomic_load_n(&taken, __ATOMIC_RELAXED), at, skip;

    do {
        at = from + t < LAST ? from + t : from + t - (LAST - FIRST);
        skip = n > LAST - at ? LAST - at : 0; /* not across the end */
        if (n > LAST - FIRST || t + skip + n > LAST - FIRST)
            return 0;
    } while (!__atomic_compare_exchange_n(&taken, &t, t + skip + n, 1, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return skip > 0 ? FIRST : at;
}

static int isfree(void *addr, size_t size)
{
    void *p = vmos_mapat(addr, size, VMOS_RESERVE | VMOS_SMALL | VMOS_NOTOUCH);

    if (p != NULL)
        vmos_unmap(p, size);
    return p != NULL;
}

Void_t *vmmaddress(size_t size)
{
    uint64_t n = size / UNIT + (size % UNIT != 0), at;
    int i, e = errno;
    void *p = NULL;

    if (size == 0) {
        errno = EINVAL;
        return NULL;
    }
    for (i = 0; i < TRIES && (at = next(n)) != 0; i++) {
        p = (void *)(uintptr_t)(at * UNIT);
        if (isfree(p, (size_t)(n * UNIT))) {
            errno = e;
            return p;
        }
    }
    /* where the system, or a tool that watches the program, keeps those addresses for itself */
    p = vmos_mapalign((size_t)(n * UNIT), (size_t)UNIT, VMOS_RESERVE | VMOS_SMALL | VMOS_NOTOUCH);
    if (p != NULL) {
        vmos_unmap(p, (size_t)(n * UNIT));
        errno = e;
    }
    return p;
}
