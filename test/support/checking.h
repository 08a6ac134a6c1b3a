/* SPDX-License-Identifier: MIT */
/*
 * A discipline that watches the region above it.
 *
 * chk_t begins with a Vmdisc_t, so that &c->disc is what vmopen() gets.  It keeps a list of all
 * segments that it gave, fills new memory with CHK_NEW and memory that comes back with CHK_OLD,
 * and writes the first breach of the protocol into c->error:
 *   - sizes are multiples of lcm(round or page, VM_ALIGN);
 *   - a segment is resized and released with its exact address and extent, and just once;
 *   - (0, 0) and a NULL address with an extent never come;
 *   - a fresh segment is asked for only after a request to grow was refused, but for the first;
 *   - the first segment is released last;
 *   - memoryf is not called from inside memoryf.
 * It can refuse (failat: the how manieth request for memory; failall: that one and all later),
 * answer growth in three ways, and place segments at odd addresses.
 */
#ifndef TEST_CHECKING_H
#define TEST_CHECKING_H 1

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vmalloc.h>

#include "os.h"

#define CHK_NEW 0xdb
#define CHK_OLD 0xee
#define CHK_SEGS 4096
#define CHK_EVENTS 64
#define CHK_RESERVED ((size_t)64 << 20) /* room for growth of a CHK_RESERVE segment */

enum chk_source { CHK_MALLOC, CHK_RESERVE, CHK_ARRAYS };
enum chk_growth { CHK_REFUSE, CHK_INPLACE, CHK_NEWSEG };

typedef struct chk_seg {
    char *addr, *raw;
    size_t size, rawsize;
} chk_seg_t;

typedef struct chk_event {
    int type;
    Vmalloc_t *vm;
    void *obj, *data; /* data: vm->data at that moment */
    size_t calls;     /* of memoryf before it */
} chk_event_t;

typedef struct chk chk_t;
struct chk {
    Vmdisc_t disc; /* first */
    enum chk_source source;
    enum chk_growth growth;
    size_t odd;      /* segments start so many bytes behind an aligned address */
    size_t maxbytes; /* refuse beyond this total; 0: no limit */
    size_t failat;   /* refuse this request for memory (1: the next one); 0: none */
    int failall;     /* and all later ones */
    int keep;        /* refuse to shrink and to take back */
    int behind;      /* stands behind another discipline, which may refuse what we do not see */
    int (*onevent)(chk_t *c, Vmalloc_t *vm, int type, void *obj);
    void *arg; /* for onevent */

    chk_seg_t segs[CHK_SEGS]; /* in the order they were given */
    size_t nsegs, bytes, maxseen;
    char used[4];                         /* CHK_ARRAYS */
    size_t calls, gets, grows, shrinks, frees, refused;
    int lastrefused, inside;
    chk_event_t events[CHK_EVENTS];
    size_t nevents;
    char error[200];
};

/* The four arrays of CHK_ARRAYS, with a gap between any two. */
#define CHK_ARRAY ((size_t)1 << 20)
static char chk_array[4][CHK_ARRAY + 4096] __attribute__((aligned(4096), unused));

VMOS_PRINTS(2, 3) static inline void chk_bad(chk_t *c, const char *format, ...)
{
    va_list args;
    if (c->error[0] != 0)
        return;
    va_start(args, format);
    vsnprintf(c->error, sizeof c->error, format, args);
    va_end(args);
}

static inline size_t chk_incr(size_t round)
{
    size_t r = round ? round : vmos_pagesize(), l = r;
    while (l % VM_ALIGN)
        l += r;
    return l;
}

/* Raw memory for a segment of size bytes at odd bytes behind an aligned address. */
static inline int chk_raw(chk_t *c, chk_seg_t *s, size_t size)
{
    int i;
    s->rawsize = size + c->odd;
    s->raw = NULL;
    switch (c->source) {
    case CHK_MALLOC:
        s->raw = (char *)(s->rawsize >> (sizeof(size_t) > 4 ? 40 : 30) == 0 ? malloc(s->rawsize) : NULL);
        break;
    case CHK_RESERVE:
        s->rawsize = CHK_RESERVED;
        if (size + c->odd > CHK_RESERVED)
            return -1;
        s->raw = (char *)vmos_map(NULL, s->rawsize, VMOS_RESERVE);
        break;
    case CHK_ARRAYS:
        for (i = 0; i < 4 && s->raw == NULL; i++)
            if (!c->used[i] && s->rawsize <= CHK_ARRAY) {
                c->used[i] = 1;
                s->raw = chk_array[i];
            }
        break;
    }
    s->addr = s->raw + c->odd;
    s->size = size;
    return s->raw ? 0 : -1;
}

static inline void chk_unraw(chk_t *c, chk_seg_t *s)
{
    memset(s->addr, CHK_OLD, s->size);
    if (c->source == CHK_MALLOC)
        free(s->raw);
    else if (c->source == CHK_RESERVE)
        vmos_unmap(s->raw, s->rawsize);
    else
        c->used[(s->raw - chk_array[0]) / (ptrdiff_t)sizeof chk_array[0]] = 0;
}

static inline void chk_count(chk_t *c, size_t plus, size_t minus)
{
    c->bytes += plus;
    c->bytes -= minus;
    if (c->bytes > c->maxseen)
        c->maxseen = c->bytes;
}

static inline char *chk_fresh(chk_t *c, size_t size)
{
    chk_seg_t s;
    if (c->nsegs == CHK_SEGS || chk_raw(c, &s, size) != 0)
        return NULL;
    memset(s.addr, CHK_NEW, size);
    c->segs[c->nsegs++] = s;
    chk_count(c, size, 0);
    return s.addr;
}

/* Whether a request for memory is to be refused. */
static inline int chk_refuses(chk_t *c, size_t more)
{
    c->gets++;
    if (c->failat && (c->gets == c->failat || (c->failall && c->gets > c->failat)))
        return 1;
    return c->maxbytes && (more > c->maxbytes || c->bytes > c->maxbytes - more);
}

static inline char *chk_grow(chk_t *c, chk_seg_t *s, size_t nsize)
{
    size_t more = nsize - s->size;
    c->grows++;
    if (chk_refuses(c, more) || c->growth == CHK_REFUSE)
        return NULL;
    if (c->growth == CHK_NEWSEG)
        return chk_fresh(c, more);
    if (c->source != CHK_RESERVE || nsize + c->odd > s->rawsize)
        return NULL;
    memset(s->addr + s->size, CHK_NEW, more);
    s->size = nsize;
    chk_count(c, more, 0);
    return s->addr;
}

static inline char *chk_less(chk_t *c, chk_seg_t *s, size_t nsize)
{
    char *addr = s->addr;
    if (nsize > 0) {
        c->shrinks++;
        if (c->keep || c->growth != CHK_INPLACE)
            return NULL;
        memset(addr + nsize, CHK_OLD, s->size - nsize);
        chk_count(c, 0, s->size - nsize);
        s->size = nsize;
        return addr;
    }
    c->frees++;
    if (c->keep)
        return NULL;
    if (s == c->segs && c->nsegs > 1)
        chk_bad(c, "the first segment is released before %zu others", c->nsegs - 1);
    chk_count(c, 0, s->size);
    chk_unraw(c, s);
    memmove(s, s + 1, (size_t)(c->segs + c->nsegs - (s + 1)) * sizeof *s);
    c->nsegs--;
    return addr;
}

static inline char *chk_serve(chk_t *c, char *addr, size_t csize, size_t nsize)
{
    size_t i, incr = chk_incr(c->disc.round);
    if (nsize % incr || csize % incr)
        chk_bad(c, "%zu -> %zu: no multiple of %zu", csize, nsize, incr);
    if (addr == NULL) {
        if (csize != 0 || nsize == 0)
            chk_bad(c, "memoryf(NULL, %zu, %zu)", csize, nsize);
        if (c->nsegs > 0 && !c->lastrefused && !c->behind)
            chk_bad(c, "a fresh segment of %zu without asking for growth", nsize);
        return chk_refuses(c, nsize) ? NULL : chk_fresh(c, nsize);
    }
    for (i = c->nsegs; i > 0 && c->segs[i - 1].addr != addr; i--)
        continue;
    if (i == 0) {
        chk_bad(c, "memoryf(%p, %zu, %zu): no segment", (void *)addr, csize, nsize);
        return NULL;
    }
    if (c->segs[i - 1].size != csize)
        chk_bad(c, "memoryf(%zu -> %zu) for an extent of %zu", csize, nsize, c->segs[i - 1].size);
    if (csize == nsize) {
        chk_bad(c, "memoryf(%zu -> %zu)", csize, nsize);
        return addr;
    }
    return nsize > csize ? chk_grow(c, &c->segs[i - 1], nsize) : chk_less(c, &c->segs[i - 1], nsize);
}

static inline void *chk_memory(Vmalloc_t *vm, void *addr, size_t csize, size_t nsize,
                               Vmdisc_t *disc)
{
    chk_t *c = (chk_t *)disc;
    char *got;
    if (vm == NULL)
        chk_bad(c, "memoryf without a region");
    if (c->inside++)
        chk_bad(c, "memoryf inside memoryf");
    c->calls++;
    got = chk_serve(c, (char *)addr, csize, nsize);
    if (nsize > csize) {
        c->lastrefused = got == NULL;
        c->refused += got == NULL;
    }
    c->inside--;
    return got;
}

static inline int chk_except(Vmalloc_t *vm, int type, void *obj, Vmdisc_t *disc)
{
    chk_t *c = (chk_t *)disc;
    if (c->nevents < CHK_EVENTS) {
        chk_event_t *e = &c->events[c->nevents];
        e->type = type;
        e->vm = vm;
        e->obj = obj;
        e->calls = c->calls;
    }
    c->nevents++;
    return c->onevent ? c->onevent(c, vm, type, obj) : 0;
}

static inline chk_t *chk_new(size_t round, enum chk_source source, enum chk_growth growth)
{
    chk_t *c = (chk_t *)calloc(1, sizeof *c);
    c->disc.memoryf = chk_memory;
    c->disc.exceptf = chk_except;
    c->disc.round = round;
    c->source = source;
    c->growth = growth;
    return c;
}

/* NULL when the protocol was kept and all is given back, else what is wrong. */
static inline const char *chk_done(chk_t *c)
{
    if (c->nsegs > 0)
        chk_bad(c, "%zu segments of %zu bytes are not given back", c->nsegs, c->bytes);
    return c->error[0] ? c->error : NULL;
}

/* Forget the segments that the region was allowed to keep. */
static inline void chk_drop(chk_t *c)
{
    while (c->nsegs > 0)
        chk_unraw(c, &c->segs[--c->nsegs]);
    free(c);
}

#endif
