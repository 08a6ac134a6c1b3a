/* SPDX-License-Identifier: MIT */
/*
 * A discipline for tests that counts what it is asked.
 *
 * Begins with a Vmdisc_t and casts back, as users' disciplines do: it notices when it is called with
 * a discipline that is not itself.  Segments lie in pieces of COUNTING_ROOM bytes and grow and shrink
 * inside.  Counters are atomic.
 */
#ifndef TEST_COUNTING_H
#define TEST_COUNTING_H 1

#include <stdlib.h>
#include <vmalloc.h>

#define COUNTING_ROOM ((size_t)64 * 1024)

typedef struct counting {
    Vmdisc_t disc; /* first */
    struct counting *self;
    size_t gets, grows, shrinks, releases;
    size_t held, most; /* bytes given now, and at most so far */
    int refuse;        /* say no to all */
    int apart;         /* answer growth with a new segment */
    int events;        /* how many came */
    int type, answer;  /* of the last event; what to answer */
    Void_t *obj;
    Vmalloc_t *vm;
} counting_t;

static inline void counting_hold(counting_t *c, size_t more, size_t less)
{
    size_t most = __atomic_load_n(&c->most, __ATOMIC_RELAXED);
    size_t now = __atomic_add_fetch(&c->held, more - less, __ATOMIC_RELAXED);

    while (now > most && !__atomic_compare_exchange_n(&c->most, &most, now, 0, __ATOMIC_RELAXED,
                                                      __ATOMIC_RELAXED))
        continue;
}

static inline Void_t *counting_memory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize,
                                      Vmdisc_t *disc)
{
    counting_t *c = (counting_t *)disc;
    Void_t *seg = addr;

    (void)vm;
    if (c->self != c)
        abort();
    __atomic_fetch_add(csize == 0      ? &c->gets
                       : nsize == 0    ? &c->releases
                       : nsize > csize ? &c->grows
                                       : &c->shrinks,
                       1, __ATOMIC_RELAXED);
    if (c->refuse || nsize > COUNTING_ROOM)
        return NULL;
    if (csize == 0 || (nsize > csize && c->apart))
        seg = malloc(COUNTING_ROOM);
    if (nsize == 0)
        free(addr);
    if (seg)
        counting_hold(c, nsize, csize);
    return seg;
}

static inline int counting_event(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    counting_t *c = (counting_t *)disc;

    if (c->self != c)
        abort();
    c->events++;
    c->type = type;
    c->obj = obj;
    c->vm = vm;
    return c->answer;
}

static inline counting_t *counting_init(counting_t *c)
{
    const counting_t fresh = {{counting_memory, counting_event, 4096, sizeof *c}, .self = c};

    *c = fresh;
    return c;
}

#endif
