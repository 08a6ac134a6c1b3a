/* SPDX-License-Identifier: MIT */
/*
 * binary: a thread's records into its chunk; <vmalloc/trace.h> has the bytes.
 *
 *   thread --> seat --> chunk   | Vmtrchunk_t | record | record | at ... end |
 *
 * A thread holds a seat as long as it lives, and leaves it to a later one with what room there is in
 * its chunk.  Seats lie in pages of their own, which never go.
 *
 * Invariants
 *   - Only who holds a seat touches it; vmr_inside keeps a signal handler of the same thread out.
 *   - used is stored when the record is there; seq, time and addresses of the seat are those of the
 *     last record, or the seat is torn and goes on in a new chunk.
 *   - A seat's chunk is of the file of its turn, else it is void.
 */
#include "trace.h"

#include <string.h>

typedef struct seat {
    struct seat *next; /* free ones */
    Vmtrchunk_t *chunk;
    unsigned char *at, *end;
    uint64_t seq, time;
    uintptr_t addr, region;
    unsigned int turn, thread; /* thread: as the chunk knows */
    int letter, torn;
} seat_t;
#define SEATS 512 /* made at once */

static vmos_lock_t lock;
static seat_t *spare;
static unsigned int turn; /* counts files */
static __thread seat_t *mine;
static __thread unsigned int number, numberturn;

/* ---- seats ---- */

static seat_t *newseats(void)
{
    seat_t *s = vmos_map(NULL, VMB_UP(SEATS * sizeof *s, vmos_pagesize()), 0);
    for (size_t i = 1; s != NULL && i < SEATS; i++) {
        s[i].next = spare;
        spare = &s[i];
    }
    return s;
}

static seat_t *takeseat(void)
{
    seat_t *s;
    vmos_lock(&lock);
    s = spare;
    if (s != NULL)
        spare = s->next;
    else
        s = newseats();
    vmos_unlock(&lock);
    return s;
}

static void dropchunk(seat_t *s)
{
    if (s->chunk != NULL)
        vmos_unmap(s->chunk, VM_TRCHUNK);
    s->chunk = NULL;
}

/* Whose first record has this number. */
static int newchunk(seat_t *s, uint64_t seq)
{
    Vmtrchunk_t *c;
    dropchunk(s);
    c = vmtr_file_chunk();
    if (c == NULL)
        return -1;
    s->chunk = c;
    s->at = (unsigned char *)(c + 1);
    s->end = (unsigned char *)c + VM_TRCHUNK;
    s->addr = s->region = 0;
    s->letter = s->torn = 0;
    s->turn = turn;
    s->thread = number;
    c->thread = number;
    c->seq = s->seq = seq;
    c->time = s->time = vmtr_file_time();
    __atomic_store_n(&c->magic, VM_TRCHUNKMAGIC, __ATOMIC_RELEASE);
    return 0;
}

static unsigned int drawnumber(void)
{
    Vmtrhead_t *h = vmtr_file_head();
    return h != NULL ? __atomic_add_fetch(&h->threads, 1, __ATOMIC_RELAXED) : 1;
}

/* The calling thread's seat with room for a record with this number; NULL: there is none.  Who had
 * the seat before may have drawn a later one. */
static seat_t *seat(uint64_t seq)
{
    seat_t *s = mine;
    if (s == NULL) {
        s = mine = takeseat();
        if (s == NULL)
            return NULL;
        vmos_watchthread();
    }
    if (numberturn != turn) {
        number = drawnumber();
        numberturn = turn;
    }
    if (s->turn == turn && s->chunk != NULL && !s->torn && seq >= s->seq &&
        s->end - s->at >= 2 * VM_TRRECORD)
        return s;
    return newchunk(s, seq) == 0 ? s : NULL;
}

/* ---- records ---- */

static unsigned char *num(unsigned char *p, uint64_t x)
{
    for (; x >= 0x80; x >>= 7)
        *p++ = (unsigned char)(x | 0x80);
    *p++ = (unsigned char)x;
    return p;
}

static unsigned char *diff(unsigned char *p, uintptr_t x, uintptr_t from)
{
    int64_t d = (int64_t)((uint64_t)x - (uint64_t)from);
    return num(p, (uint64_t)d << 1 ^ (uint64_t)(d >> 63));
}

static unsigned char *address(unsigned char *p, seat_t *s, const void *addr)
{
    p = diff(p, (uintptr_t)addr, s->addr);
    s->addr = (uintptr_t)addr;
    return p;
}

static unsigned char *region(unsigned char *p, seat_t *s, const vmtr_event_t *e, int letter)
{
    p = diff(p, (uintptr_t)e->vm, s->region);
    *p++ = (unsigned char)letter;
    s->region = (uintptr_t)e->vm;
    s->letter = letter;
    return p;
}

static unsigned char *numbers(unsigned char *p, seat_t *s, const vmtr_event_t *e)
{
    switch (e->kind) {
    case VM_TRALLOC:
    case VM_TRBUSY:
        return num(address(p, s, e->new), e->size);
    case VM_TRALIGN:
        return num(num(address(p, s, e->new), e->size), e->align);
    case VM_TRFREE:
        return num(address(p, s, e->old), e->size);
    case VM_TRRESIZE:
        p = address(address(p, s, e->old), s, e->new);
        return num(num(p, e->size), e->moved);
    default:
        return p;
    }
}

/* Another thread sits there: its number, with sequence and time of the record before. */
static unsigned char *thread(unsigned char *p, seat_t *s)
{
    *p++ = VM_TRTHREAD;
    *p++ = 0;
    *p++ = 0;
    s->thread = number;
    return num(p, number);
}

static void write(seat_t *s, const vmtr_event_t *e)
{
    int letter = vmtr_letter(e->vm), other;
    uint64_t now = vmtr_file_time();
    unsigned char *p = s->at;
    s->torn = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (s->thread != number)
        p = thread(p, s);
    other = s->region != (uintptr_t)e->vm || s->letter != letter;
    *p++ = (unsigned char)(e->kind | (other ? VM_TRREGION : 0));
    p = num(p, e->seq - s->seq);
    p = num(p, now - s->time);
    if (other)
        p = region(p, s, e, letter);
    p = numbers(p, s, e);
    s->seq = e->seq;
    s->time = now;
    s->at = p;
    __atomic_store_n(&s->chunk->used, (unsigned int)(p - (unsigned char *)(s->chunk + 1)),
                     __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    s->torn = 0;
}

/* Told once; what comes after it is only counted. */
static void nospace(void)
{
    static unsigned int told;
    Vmtrhead_t *h = vmtr_file_head();
    if (h == NULL)
        return;
    __atomic_add_fetch(&h->lost, 1, __ATOMIC_RELAXED);
    if (__atomic_exchange_n(&told, turn, __ATOMIC_RELAXED) != turn)
        vmb_fault("trace: no room for more in the file; the rest is not written");
}

void vmtr_binary(const vmtr_event_t *e)
{
    seat_t *s = seat(e->seq);
    if (s != NULL)
        write(s, e);
    else
        nospace();
}

/* ---- what becomes of threads ---- */

void vmtr_binary_begin(void)
{
    __atomic_add_fetch(&turn, 1, __ATOMIC_RELEASE);
}

void vmtr_binary_exit(void)
{
    seat_t *s = mine;
    if (s == NULL)
        return;
    mine = NULL;
    vmos_lock(&lock);
    s->next = spare;
    spare = s;
    vmos_unlock(&lock);
}

void vmtr_binary_jumped(void)
{
    if (mine != NULL)
        mine->torn = 1;
}

void vmtr_binary_forked(void)
{
    lock = (vmos_lock_t){0, 0};
    turn++;
}
