/* SPDX-License-Identifier: MIT */
/*
 * The binary form of a trace: chunk by chunk, then put in order of the sequence.
 */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

#include <vmalloc/trace.h>

/* Where a chunk has been read to. */
struct reader {
    const unsigned char *at, *end;
    uint64_t seq, time, address, regionaddress;
    uint32_t region, thread;
    char letter;
    int wrong;
};

static uint64_t num(struct reader *r)
{
    uint64_t x = 0;
    unsigned shift;

    for (shift = 0; shift < 70 && r->at < r->end; shift += 7) {
        unsigned char c = *r->at++;
        if (shift == 63 && c > 1)
            break;
        x |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return x;
    }
    r->wrong = 1;
    return 0;
}

static uint64_t diff(struct reader *r, uint64_t from)
{
    uint64_t x = num(r);

    return from + (x >> 1 ^ (0 - (x & 1)));
}

static uint64_t address(struct reader *r)
{
    r->address = diff(r, r->address);
    return r->address;
}

static void region(struct trace *t, struct reader *r, int kind, int named)
{
    if (named) {
        r->regionaddress = diff(r, r->regionaddress);
        r->letter = r->at < r->end ? (char)*r->at++ : 0;
        if (r->letter < 'a' || r->letter > 'z')
            r->wrong = 1;
    }
    if (r->letter == 0)
        r->wrong = 1;
    if (!r->wrong && (named || kind == VM_TROPEN || r->region == TRACE_NONE))
        r->region = trace_region(t, r->regionaddress, r->letter, 0);
}

static void arguments(struct reader *r, struct trace_event *e)
{
    uint64_t align = 0;

    switch (e->kind) {
    case VM_TRALLOC:
    case VM_TRBUSY:
    case VM_TRALIGN:
        e->new = address(r);
        e->size = num(r);
        align = e->kind == VM_TRALIGN ? num(r) : 0;
        break;
    case VM_TRFREE:
        e->old = address(r);
        e->size = num(r);
        break;
    case VM_TRRESIZE:
        e->old = address(r);
        e->new = address(r);
        e->size = num(r);
        e->moved = num(r);
        break;
    }
    e->align = align > UINT32_MAX ? 0 : (uint32_t)align;
}

/* A thread number, from 1 on, as the file tells: a damaged one would make millions of threads. */
static void thread(struct trace *t, struct reader *r, uint64_t n)
{
    if (n == 0 || n > 1u << 20) {
        r->wrong = 1;
        return;
    }
    r->thread = (uint32_t)n - 1;
    if (r->thread >= t->threads)
        t->threads = r->thread + 1;
}

/* 0; -1: no memory.  What is wrong is noted in r. */
static int record(struct trace *t, struct reader *r)
{
    struct trace_event e = {0};
    unsigned char head = *r->at++;

    e.kind = head & VM_TRKIND;
    if (e.kind == 0 || e.kind > VM_TRTHREAD || head & ~(VM_TRKIND | VM_TRREGION)) {
        r->wrong = 1;
        return 0;
    }
    r->seq += num(r);
    r->time += num(r);
    if (e.kind == VM_TRTHREAD) {
        thread(t, r, num(r));
        return 0;
    }
    region(t, r, e.kind, head & VM_TRREGION);
    if (!r->wrong)
        arguments(r, &e);
    if (r->wrong)
        return 0;
    e.seq = r->seq;
    e.time = r->time;
    e.region = r->region;
    e.thread = r->thread;
    return e.region == TRACE_NONE ? -1 : trace_add(t, &e);
}

static int chunk(struct trace *t, const unsigned char *data, size_t size, uint64_t at)
{
    Vmtrchunk_t c;
    struct reader r = {0};

    memcpy(&c, data, sizeof(c));
    if (c.magic == 0 && c.used == 0)
        return 0; /* reserved, and the process died */
    if (c.magic != VM_TRCHUNKMAGIC || c.used > VM_TRCHUNK - sizeof(c)) {
        trace_damage(t, "chunk %llu is none", (unsigned long long)at);
        return 0;
    }
    r.at = data + sizeof(c);
    r.end = r.at + (c.used < size - sizeof(c) ? c.used : size - sizeof(c));
    r.seq = c.seq;
    r.time = c.time;
    r.region = TRACE_NONE;
    thread(t, &r, c.thread);
    while (r.at < r.end && !r.wrong)
        if (record(t, &r) != 0)
            return -1;
    if (r.wrong)
        trace_damage(t, "chunk %llu has a record that makes no sense, before byte %zu",
                     (unsigned long long)at, (size_t)(r.at - data));
    return 0;
}

static int order(const void *a, const void *b)
{
    const struct trace_event *x = a, *y = b;

    return x->seq != y->seq ? (x->seq < y->seq ? -1 : 1)
                            : (x->thread > y->thread) - (x->thread < y->thread);
}

static void sort(struct trace *t)
{
    size_t i;

    for (i = 1; i < t->events; i++)
        if (t->event[i].seq < t->event[i - 1].seq) {
            qsort(t->event, t->events, sizeof(*t->event), order);
            return;
        }
}

/* A region that was opened is a new one at its address from then on. */
static int renew_regions(struct trace *t)
{
    uint32_t *now = malloc((t->regions + 1) * sizeof(*now)), first = t->regions, r;
    size_t i;

    if (!now)
        return -1;
    for (r = 0; r < first; r++)
        now[r] = r;
    for (i = 0; i < t->events; i++) {
        struct trace_event *e = &t->event[i];
        r = e->region;
        if (e->kind == VM_TROPEN) {
            now[r] = trace_region(t, t->region[r].address, t->region[r].method, 1);
            if (now[r] == TRACE_NONE) {
                free(now);
                return -1;
            }
        }
        e->region = now[r];
    }
    free(now);
    return 0;
}

static int head(struct trace *t, const unsigned char *data, size_t size, Vmtrhead_t *h)
{
    if (size < sizeof(*h)) {
        trace_damage(t, "the head is cut off");
        return -1;
    }
    memcpy(h, data, sizeof(*h));
    if (h->order != VM_TRORDER || h->chunk != VM_TRCHUNK || (h->word != 4 && h->word != 8)) {
        trace_damage(t, "the trace comes from a machine of another kind, or its head is damaged");
        return -1;
    }
    if (h->version != VM_TRVERSION) {
        trace_damage(t, "the trace has version %u, and this command reads %d", h->version,
                     VM_TRVERSION);
        return -1;
    }
    t->ended = h->ended != 0;
    t->lost = h->lost;
    return 0;
}

int trace_binary(struct trace *t, const unsigned char *data, size_t size)
{
    Vmtrhead_t h;
    uint64_t i;

    t->binary = 1;
    if (head(t, data, size, &h) != 0)
        return 0;
    for (i = 1; i < (size + VM_TRCHUNK - 1) / VM_TRCHUNK; i++) {
        size_t left = size - i * VM_TRCHUNK, n = left < VM_TRCHUNK ? left : VM_TRCHUNK;
        if (n > sizeof(Vmtrchunk_t) && chunk(t, data + i * VM_TRCHUNK, n, i) != 0)
            return -1;
    }
    if (h.chunks >= size / VM_TRCHUNK)
        trace_damage(t, "the file ends before chunk %llu", (unsigned long long)h.chunks);
    if (t->threads == 0)
        t->threads = 1;
    sort(t);
    return renew_regions(t);
}
