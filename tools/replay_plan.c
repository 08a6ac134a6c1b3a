/* SPDX-License-Identifier: MIT */
/*
 * The plan of a replay, in three passes over arrays:
 *
 *   1  events -> operations that name objects, a list for each thread; objects know which threads
 *      make and take them
 *   2  objects -> slots
 *   3  all of it into the file
 *
 * A moved block is free from the number of its event on, and there at its end: who had the new
 * address gave it up in between.  So what a resizing makes is entered when the sequence has come
 * to that point.
 */
#include "replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vmalloc/trace.h>

#define NOBODY UINT32_MAX

struct object {
    uint64_t size;
    uint32_t maker, taker; /* threads; NOBODY: never taken */
    uint32_t slot;
    uint32_t region;
    uint32_t prev, next; /* live ones of the region */
    uint64_t address;
};

struct stream {
    struct plan_op *op;
    size_t n, room;
};

struct pending {
    uint64_t seq, address;
    uint32_t object;
};

struct maker {
    const struct trace *t;
    struct plan_notes *notes;
    struct stream *stream;
    struct object *object;
    uint32_t objects, objectroom;
    uint32_t threads;
    uint32_t *lane; /* the plan's thread for each of the trace's */
    uint32_t *live; /* first live object of each region, NOBODY: none */
    uint32_t *user; /* the thread that uses the region, NOBODY: none yet, threads: several */
    struct trace_map at;
    struct pending pending[64];
    size_t npending;
    uint64_t busy, peak, calls, slots;
    int failed; /* no memory */
};

/* ---- operations ---- */

static struct plan_op *add(struct maker *m, uint32_t thread, enum plan_kind kind, uint32_t region)
{
    static struct plan_op nowhere;
    struct stream *s = &m->stream[thread];
    struct plan_op *op = &nowhere;

    if (s->n == s->room) {
        size_t room = s->room ? s->room * 2 : 1024;
        struct plan_op *more = realloc(s->op, room * sizeof(*more));
        if (!more) {
            m->failed = 1;
            return op;
        }
        s->op = more;
        s->room = room;
    }
    op = &s->op[s->n++];
    memset(op, 0, sizeof(*op));
    op->kind = kind;
    op->region = region & 0xfffffff;
    return op;
}

/* ---- objects ---- */

static void enter(struct maker *m, uint64_t address, uint32_t object)
{
    if (trace_map_put(&m->at, address, object) != 0)
        m->failed = 1;
}

static uint32_t newobject(struct maker *m, uint32_t thread, uint32_t region, uint64_t size)
{
    struct object *o;

    if (m->objects == m->objectroom) {
        uint32_t room = m->objectroom ? m->objectroom * 2 : 4096;
        struct object *more = realloc(m->object, room * sizeof(*more));
        if (!more || room > 1u << 31) {
            m->failed = 1;
            return m->objects - 1;
        }
        m->object = more;
        m->objectroom = room;
    }
    o = &m->object[m->objects];
    *o = (struct object){size, thread, NOBODY, 0, region, NOBODY, m->live[region], 0};
    if (o->next != NOBODY)
        m->object[o->next].prev = m->objects;
    m->live[region] = m->objects;
    m->busy += size;
    if (m->busy > m->peak)
        m->peak = m->busy;
    return m->objects++;
}

static void takeobject(struct maker *m, uint32_t thread, uint32_t object)
{
    struct object *o = &m->object[object];

    o->taker = thread;
    m->busy -= o->size;
    if (o->prev != NOBODY)
        m->object[o->prev].next = o->next;
    else
        m->live[o->region] = o->next;
    if (o->next != NOBODY)
        m->object[o->next].prev = o->prev;
}

/* Somebody has the address already: what was there went without a word. */
static void vacate(struct maker *m, uint32_t thread, uint64_t address)
{
    uint32_t old = trace_map_take(&m->at, address);
    struct plan_op *op;

    if (old == TRACE_NONE)
        return;
    m->notes->vanished++;
    op = add(m, thread, PLAN_FREE, m->object[old].region);
    op->slot = old;
    takeobject(m, thread, old);
}

/* ---- events ---- */

static void allocate(struct maker *m, const struct trace_event *e, uint32_t thread)
{
    enum plan_kind kind = e->kind == VM_TRALIGN ? PLAN_ALIGN : PLAN_ALLOC;
    struct plan_op *op;
    uint32_t object;

    if (e->kind == VM_TRBUSY && trace_map_get(&m->at, e->new) != TRACE_NONE)
        return;
    vacate(m, thread, e->new);
    object = newobject(m, thread, e->region, e->size);
    op = add(m, thread, kind, e->region);
    op->to = object;
    op->size = e->size;
    op->align = e->align;
    if (!m->failed)
        m->object[object].address = e->new;
    enter(m, e->new, object);
    m->calls++;
}

static void release(struct maker *m, const struct trace_event *e, uint32_t thread)
{
    uint32_t object = trace_map_take(&m->at, e->old);
    struct plan_op *op;

    if (object == TRACE_NONE) {
        m->notes->unknown++;
        return;
    }
    op = add(m, thread, PLAN_FREE, m->object[object].region);
    op->slot = object;
    takeobject(m, thread, object);
    m->calls++;
}

static void settle_until(struct maker *m, uint64_t seq, uint32_t thread)
{
    size_t i = 0;

    while (i < m->npending)
        if (m->pending[i].seq < seq) {
            vacate(m, thread, m->pending[i].address);
            enter(m, m->pending[i].address, m->pending[i].object);
            m->pending[i] = m->pending[--m->npending];
            i = 0;
        } else {
            i++;
        }
}

static void resize(struct maker *m, const struct trace_event *e, uint32_t thread)
{
    uint32_t old = trace_map_take(&m->at, e->old), object;
    struct plan_op *op;
    uint32_t region;

    if (old == TRACE_NONE) {
        m->notes->unknown++;
        allocate(m, e, thread);
        return;
    }
    region = m->object[old].region;
    takeobject(m, thread, old);
    object = newobject(m, thread, region, e->size);
    op = add(m, thread, PLAN_RESIZE, region);
    op->slot = old;
    op->to = object;
    op->size = e->size;
    if (!m->failed)
        m->object[object].address = e->new;
    m->calls++;
    if (m->npending == sizeof(m->pending) / sizeof(*m->pending))
        settle_until(m, UINT64_MAX, thread);
    m->pending[m->npending++] = (struct pending){e->seq + e->moved, e->new, object};
    if (e->moved == 0)
        settle_until(m, e->seq + 1, thread);
}

/* All threads stand still while a region that they share is opened, cleared or closed. */
static void meet(struct maker *m, uint32_t region)
{
    uint32_t i;

    if (m->user[region] == m->threads && m->threads > 1)
        for (i = 0; i < m->threads; i++)
            add(m, i, PLAN_MEET, 0);
}

/* For malloc all blocks are freed one by one. */
static void drop_all(struct maker *m, const struct trace_event *e, uint32_t thread)
{
    while (m->live[e->region] != NOBODY && !m->failed) {
        uint32_t object = m->live[e->region];
        struct plan_op *op = add(m, thread, PLAN_DROP, e->region);
        op->slot = object;
        if (trace_map_get(&m->at, m->object[object].address) == object)
            trace_map_take(&m->at, m->object[object].address);
        takeobject(m, thread, object);
    }
}

static void life(struct maker *m, const struct trace_event *e, uint32_t thread)
{
    settle_until(m, UINT64_MAX, thread);
    meet(m, e->region);
    if (e->kind == VM_TRCLEAR || e->kind == VM_TRCLOSE)
        drop_all(m, e, thread);
    add(m, thread, e->kind == VM_TROPEN ? PLAN_OPEN : e->kind == VM_TRCLEAR ? PLAN_CLEAR : PLAN_CLOSE,
        e->region);
    meet(m, e->region);
    m->calls++;
}

static void event(struct maker *m, const struct trace_event *e, uint32_t thread)
{
    settle_until(m, e->seq, thread);
    switch (e->kind) {
    case VM_TRALLOC:
    case VM_TRALIGN:
    case VM_TRBUSY:
        allocate(m, e, thread);
        break;
    case VM_TRFREE:
        release(m, e, thread);
        break;
    case VM_TRRESIZE:
        resize(m, e, thread);
        break;
    case VM_TRCOMPACT:
        add(m, thread, PLAN_COMPACT, e->region);
        m->calls++;
        break;
    default:
        life(m, e, thread);
    }
}

/* ---- slots ---- */

/* Free slots of a thread, as a list through an array. */
struct slots {
    uint32_t *next;
    uint32_t first;
};

static uint32_t giveslot(struct maker *m, struct slots *s, const struct object *o)
{
    uint32_t slot = s->first;

    if (o->taker != o->maker || slot == NOBODY)
        return (uint32_t)m->slots++;
    s->first = s->next[slot];
    return slot;
}

static void slots_of(struct maker *m, struct stream *st, struct slots *s)
{
    size_t i;

    s->first = NOBODY;
    for (i = 0; i < st->n; i++) {
        struct plan_op *op = &st->op[i];
        int makes = op->kind <= PLAN_RESIZE, takes = op->kind >= PLAN_RESIZE && op->kind <= PLAN_DROP;
        struct object *made = makes ? &m->object[op->to] : NULL;
        struct object *taken = takes ? &m->object[op->slot] : NULL;
        if (takes && taken->taker == taken->maker) {
            op->slot = taken->slot;
            s->next[op->slot] = s->first;
            s->first = op->slot;
        }
        if (makes)
            op->to = made->slot = giveslot(m, s, made);
    }
}

/* Blocks that others made have their slots by now. */
static void foreign_slots(struct maker *m, struct stream *st, const uint32_t *objects)
{
    size_t i, k = 0;

    for (i = 0; i < st->n; i++) {
        struct plan_op *op = &st->op[i];
        if (op->kind < PLAN_RESIZE || op->kind > PLAN_DROP)
            continue;
        if (m->object[objects[k]].taker != m->object[objects[k]].maker)
            op->slot = m->object[objects[k]].slot;
        k++;
    }
}

static void give_slots(struct maker *m)
{
    struct slots s = {malloc((m->objects + (size_t)1) * sizeof(uint32_t)), NOBODY};
    uint32_t **taken = calloc(m->threads, sizeof(*taken)), i;

    for (i = 0; i < m->threads && taken && s.next; i++) {
        struct stream *st = &m->stream[i];
        size_t k = 0, j;
        taken[i] = malloc((st->n + 1) * sizeof(**taken));
        for (j = 0; j < st->n && taken[i]; j++)
            if (st->op[j].kind >= PLAN_RESIZE && st->op[j].kind <= PLAN_DROP)
                taken[i][k++] = st->op[j].slot;
        m->failed |= taken[i] == NULL;
        slots_of(m, st, &s);
    }
    for (i = 0; i < m->threads && taken; i++) {
        if (!m->failed)
            foreign_slots(m, &m->stream[i], taken[i]);
        free(taken[i]);
    }
    m->failed |= !taken || !s.next;
    free(taken);
    free(s.next);
}

/* ---- the file ---- */

static int unnamed(void)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    int fd;

    snprintf(path, sizeof(path), "%s/vmreplayXXXXXX", folder && *folder ? folder : "/tmp");
    fd = mkstemp(path);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static int all(FILE *f, const void *data, size_t size)
{
    return size == 0 || fwrite(data, size, 1, f) == 1 ? 0 : -1;
}

static int store(const struct maker *m, int fd)
{
    struct plan_head h = {0, m->slots, m->calls, m->peak, m->threads, m->t->regions};
    FILE *f = fdopen(dup(fd), "wb");
    int r = 0;
    uint32_t i;
    uint64_t first = 0;

    if (!f)
        return -1;
    for (i = 0; i < m->threads; i++)
        h.ops += m->stream[i].n;
    r |= all(f, &h, sizeof(h));
    for (i = 0; i <= m->threads; i++) {
        r |= all(f, &first, sizeof(first));
        first += i < m->threads ? m->stream[i].n : 0;
    }
    for (i = 0; i < m->threads; i++)
        r |= all(f, m->stream[i].op, m->stream[i].n * sizeof(struct plan_op));
    return fclose(f) == 0 ? r : -1;
}

const struct plan_head *plan_map(int fd)
{
    struct stat st;
    void *p;

    if (fstat(fd, &st) != 0)
        return NULL;
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* ---- all of it ---- */

/* A thread of the plan for each thread of the trace, the same for threads that did not live at the
 * same time: a program may make thousands, few at once.  last: the last event of each; idle: room
 * for as many numbers as there are threads. */
static void share_lanes(struct maker *m, size_t *last, uint32_t *idle)
{
    uint32_t nidle = 0;
    size_t i;

    m->threads = 0;
    for (i = 0; i < m->t->events; i++)
        last[m->t->event[i].thread] = i;
    for (i = 0; i < m->t->events; i++) {
        uint32_t thread = m->t->event[i].thread;
        if (m->lane[thread] == NOBODY)
            m->lane[thread] = nidle > 0 ? idle[--nidle] : m->threads++;
        if (last[thread] == i)
            idle[nidle++] = m->lane[thread];
    }
}

static int find_lanes(struct maker *m, int onethread)
{
    size_t n = m->t->threads, *last = malloc(n * sizeof(*last));
    uint32_t *idle = malloc(n * sizeof(*idle));
    int r = -1;

    m->lane = malloc(n * sizeof(*m->lane));
    if (last && idle && m->lane) {
        memset(m->lane, onethread ? 0 : 0xff, n * sizeof(*m->lane));
        m->threads = 1;
        if (!onethread)
            share_lanes(m, last, idle);
        r = 0;
    }
    free(last);
    free(idle);
    return r;
}

/* The threads that use a region, as far as it matters. */
static void find_users(struct maker *m)
{
    size_t i;

    for (i = 0; i < m->t->events; i++) {
        const struct trace_event *e = &m->t->event[i];
        uint32_t thread = m->lane[e->thread], *user = &m->user[e->region];
        *user = *user == NOBODY || *user == thread ? thread : m->threads;
    }
}

static int prepare(struct maker *m, int onethread)
{
    uint32_t i, n = m->t->regions;

    if (find_lanes(m, onethread) != 0)
        return -1;
    m->stream = calloc(m->threads, sizeof(*m->stream));
    m->live = malloc((n + (size_t)1) * sizeof(*m->live));
    m->user = malloc((n + (size_t)1) * sizeof(*m->user));
    if (!m->stream || !m->live || !m->user)
        return -1;
    for (i = 0; i < n; i++)
        m->live[i] = m->user[i] = NOBODY;
    find_users(m);
    return 0;
}

static void clean(struct maker *m)
{
    uint32_t i;

    for (i = 0; m->stream && i < m->threads; i++)
        free(m->stream[i].op);
    free(m->stream);
    free(m->lane);
    free(m->live);
    free(m->user);
    free(m->object);
    trace_map_free(&m->at);
}

int plan_make(const struct trace *t, int onethread, struct plan_notes *notes)
{
    struct maker m = {.t = t, .notes = notes};
    int fd = -1;
    size_t i;

    if (prepare(&m, onethread) != 0)
        m.failed = 1;
    for (i = 0; i < t->events && !m.failed; i++)
        event(&m, &t->event[i], m.lane[t->event[i].thread]);
    if (!m.failed)
        settle_until(&m, UINT64_MAX, 0);
    if (!m.failed)
        give_slots(&m);
    errno = ENOMEM;
    if (!m.failed && (fd = unnamed()) >= 0 && store(&m, fd) != 0) {
        close(fd);
        fd = -1;
    }
    clean(&m);
    return fd;
}
