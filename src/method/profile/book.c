/* SPDX-License-Identifier: MIT */
/*
 * book: what one thread has counted, and how it finds the site of a stack.
 *
 *   book.table   | key, site | key, site | ... |     open addressing, at most 3/4 full
 *
 * The key is a hash of 64 bits of region, stack and place, and is believed: with a million stacks
 * the odds that two of them share one are 1 in 30 millions.  The hash is multilinear (Carter and
 * Wegman, 1979): a sum of products, which the processor computes side by side.
 *
 * A thread that ends leaves its book to the next one that begins.  Sites of regions that were
 * closed are used again with other keys; slots that still lead there are dropped when the table is
 * full.
 */
#include "profile.h"

#define FIRSTBITS 8
#define TABLESIZE(bits) VMB_UP(sizeof(vmpf_slot_t) << (bits), 4096)

#define NUMBERED 1024 /* books that are found by their number at once */

__thread vmpf_book_t *vmpf_mine;
static vmpf_book_t *numbered[NUMBERED];

/* ---- whose book ---- */

static vmpf_slot_t *newtable(unsigned bits)
{
    return vmos_map(NULL, VMB_UP(TABLESIZE(bits), vmos_pagesize()), 0);
}

static void freetable(vmpf_slot_t *table, unsigned bits)
{
    vmos_unmap(table, VMB_UP(TABLESIZE(bits), vmos_pagesize()));
}

static vmpf_book_t *make(uintptr_t self)
{
    vmpf_book_t *b = vmos_map(NULL, vmos_pagesize(), 0);
    if (b == NULL)
        return NULL;
    b->table = newtable(FIRSTBITS);
    if (b->table == NULL) {
        vmos_unmap(b, vmos_pagesize());
        return NULL;
    }
    b->again =
        vmos_map(NULL, VMB_UP(vmsk_again_size(), vmos_pagesize()), VMOS_RESERVE | VMOS_SMALL);
    b->bits = FIRSTBITS;
    b->ticks = 1;
    b->owner = self;
    b->number = __atomic_add_fetch(&vmpf.nbooks, 1, __ATOMIC_RELAXED);
    if (b->number < NUMBERED)
        __atomic_store_n(&numbered[b->number], b, __ATOMIC_RELEASE);
    b->next = __atomic_load_n(&vmpf.books, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&vmpf.books, &b->next, b, 0, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        continue;
    return b;
}

static vmpf_book_t *books(void)
{
    return __atomic_load_n(&vmpf.books, __ATOMIC_ACQUIRE);
}

vmpf_book_t *vmpf_book(uint32_t number)
{
    vmpf_book_t *b;
    if (number < NUMBERED)
        return __atomic_load_n(&numbered[number], __ATOMIC_ACQUIRE);
    for (b = books(); b != NULL && b->number != number;)
        b = b->next;
    return b;
}

/* One that says it is this thread's: of a thread that is gone and had the same number. */
static vmpf_book_t *named(uintptr_t self)
{
    vmpf_book_t *b = books();
    while (b != NULL && __atomic_load_n(&b->owner, __ATOMIC_RELAXED) != self)
        b = b->next;
    return b;
}

static vmpf_book_t *idle(uintptr_t self)
{
    for (vmpf_book_t *b = books(); b != NULL; b = b->next) {
        uintptr_t nobody = 0;
        if (__atomic_load_n(&b->owner, __ATOMIC_RELAXED) == 0 &&
            __atomic_compare_exchange_n(&b->owner, &nobody, self, 0, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return b;
    }
    return NULL;
}

static VMOS_COLD vmpf_book_t *acquire(void)
{
    uintptr_t self = vmos_self();
    vmpf_book_t *b = named(self);
    if (b == NULL) {
        b = idle(self);
        if (b == NULL && (b = make(self)) == NULL)
            return NULL;
        __atomic_add_fetch(&vmpf.active, 1, __ATOMIC_RELAXED);
        vmpf_reconsider();
    }
    b->busy = 0;
    b->ready = 0; /* the lane is that of the thread which had the book before */
    vmpf_mine = b;
    vmos_watchthread(); /* this may come back here, and then finds the book */
    return b;
}

static VMOS_COLD vmpf_book_t *missed(void)
{
    __atomic_add_fetch(&vmpf.head->missed, 1, __ATOMIC_RELAXED);
    return NULL;
}

VMOS_COLD vmpf_book_t *vmpf_enter_slow(void)
{
    vmpf_book_t *b = vmpf_mine;
    if (__atomic_load_n(&vmpf.off, __ATOMIC_RELAXED))
        return NULL;
    if ((b == NULL || VMPF_GET(b->owner) != vmos_self()) && (b = acquire()) == NULL)
        return missed();
    if (b->busy)
        return missed();
    return vmpf_enter();
}

void vmpf_thread_ends(uintptr_t self)
{
    vmpf_book_t *b = named(self);
    if (b == NULL || vmpf.head == NULL)
        return;
    vmpf_flush(b);
    __atomic_sub_fetch(&vmpf.active, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&b->owner, 0, __ATOMIC_RELEASE);
}

void vmpf_thread_jumps(void)
{
    if (vmpf_mine != NULL && VMPF_GET(vmpf_mine->owner) == vmos_self())
        vmpf_leave(vmpf_mine);
}

/* ---- the table ---- */

static vmpf_slot_t *slot(const vmpf_slot_t *table, unsigned bits, uint64_t key)
{
    size_t mask = ((size_t)1 << bits) - 1, i = (size_t)key & mask;
    while (table[i].site != 0 && table[i].key != key)
        i = (i + 1) & mask;
    return (vmpf_slot_t *)(uintptr_t)&table[i];
}

/* Slots whose site is still that of the key. */
static uint32_t alive(const vmpf_book_t *b)
{
    uint32_t n = 0;
    for (size_t i = 0; i < (size_t)1 << b->bits; i++)
        n += b->table[i].site != 0 && vmpf_site(b->table[i].site)->key == b->table[i].key;
    return n;
}

/* 0, or -1: no memory, and the table is as it was. */
static int rehash(vmpf_book_t *b)
{
    uint32_t n = alive(b);
    unsigned bits = b->bits + (n > (uint32_t)1 << b->bits >> 1);
    vmpf_slot_t *table = newtable(bits), *old = b->table;
    if (table == NULL)
        return -1;
    for (size_t i = 0; i < (size_t)1 << b->bits; i++)
        if (old[i].site != 0 && vmpf_site(old[i].site)->key == old[i].key)
            *slot(table, bits, old[i].key) = old[i];
    b->table = table;
    freetable(old, b->bits);
    b->bits = bits;
    b->count = n;
    return 0;
}

/* ---- sites ---- */

/* Multipliers of the hash: odd, the same in all runs. */
static uint64_t multiplier(size_t i)
{
    static uint64_t known[VMPF_DEPTHMAX];
    uint64_t m = __atomic_load_n(&known[i], __ATOMIC_RELAXED);
    if (VMOS_UNLIKELY(m == 0)) {
        m = vmb_mix(0x9e3779b97f4a7c15ULL * (i + 1)) | 1;
        __atomic_store_n(&known[i], m, __ATOMIC_RELAXED);
    }
    return m;
}

uint64_t vmpf_key(uint32_t serial, void *const *pcs, size_t n, const vmr_place_t *place)
{
    uint64_t h = serial * 0xd6e8feb86659fd93ULL + n;
    for (size_t i = 0; i < n; i++)
        h += (uintptr_t)pcs[i] * multiplier(i);
    if (place->file != NULL)
        h += vmb_mix((uintptr_t)place->file + (uint64_t)place->line * 0x9e3779b97f4a7c15ULL);
    h = vmb_mix(h);
    return h + (h == 0);
}

/* A record, cleared, one that was used before if there is one.  0: no room. */
static uint32_t newsite(void)
{
    Vmpfsite_t *s;
    vmos_lock(&vmpf.lock);
    if (vmpf.freesite != 0) {
        s = vmpf_site(vmpf.freesite);
        vmpf.freesite = s->next;
        __builtin_memset(s, 0, sizeof *s);
    } else {
        s = vmpf_store_add(&vmpf.sites, VMPF_SITES, sizeof *s, sizeof *s);
    }
    vmos_unlock(&vmpf.lock);
    return s != NULL ? vmpf_where(s) : 0;
}

/* Into the region's list; several threads may do so. */
static void list(vmpf_region_t *st, uint32_t site)
{
    Vmpfsite_t *s = vmpf_site(site);
    s->next = __atomic_load_n(&st->sites, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&st->sites, &s->next, site, 0, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        continue;
}

static uint32_t add(vmpf_book_t *b, vmpf_region_t *st, uint64_t key, const Vmpfsite_t *like)
{
    uint32_t site = newsite();
    Vmpfsite_t *s = vmpf_site(site);
    if (site == 0)
        return 0;
    s->key = key;
    s->stack = like->stack;
    s->place = like->place;
    s->thread = b != NULL ? b->number : 0;
    s->mark = s->rmark = VMPF_GET(vmpf.head->mark);
    __atomic_store_n(&s->region, VMPF_AT(Vmpfregion_t, st->record)->number, __ATOMIC_RELEASE);
    list(st, site);
    return site;
}

static uint32_t enter(vmpf_book_t *b, vmpf_slot_t *at, uint64_t key, uint32_t site)
{
    if (site == 0)
        return 0;
    at->key = key;
    at->site = site;
    b->count++;
    return site;
}

uint32_t vmpf_find_key(vmpf_book_t *b, vmpf_region_t *st, uint64_t key, const Vmpfsite_t *like)
{
    vmpf_slot_t *at;
    if (b == NULL)
        return add(NULL, st, key, like);
    if (b->count >= (uint32_t)3 << b->bits >> 2 && rehash(b) != 0)
        return 0;
    at = slot(b->table, b->bits, key);
    return at->site != 0 ? at->site : enter(b, at, key, add(b, st, key, like));
}

uint32_t vmpf_find(vmpf_book_t *b, vmpf_region_t *st, void *const *pcs, size_t n,
                   const vmr_place_t *place)
{
    uint64_t key = vmpf_key(st->serial, pcs, n, place);
    const vmpf_slot_t *at = slot(b->table, b->bits, key);
    Vmpfsite_t like = {0};
    uint32_t site = at->site;
    if (VMOS_LIKELY(site != 0))
        return site;
    like.stack = vmpf_note_stack(pcs, n);
    like.place = vmpf_note_place(place);
    site = vmpf_find_key(b, st, key, &like);
    if (site == 0) {
        __atomic_add_fetch(&vmpf.head->unplaced, 1, __ATOMIC_RELAXED);
        site = st->other;
    }
    return site;
}

/* ---- sums ---- */

/* A new high-water mark: what all sites have now is what they had then.  The clock was read a
 * few operations ago. */
static void high(uint64_t live, uint64_t blocks)
{
    Vmpfhead_t *h = vmpf.head;
    __atomic_store_n(&h->peak, live, __ATOMIC_RELAXED);
    VMPF_SET(h->peakblocks, blocks);
    VMPF_SET(h->peaktime, VMPF_GET(h->now));
    __atomic_store_n(&h->mark, VMPF_GET(h->mark) + 1, __ATOMIC_RELEASE);
}

static void compare(int64_t live, int64_t blocks)
{
    if (live > (int64_t)__atomic_load_n(&vmpf.head->peak, __ATOMIC_RELAXED))
        high((uint64_t)live, (uint64_t)blocks);
    if (live > (int64_t)VMPF_GET(vmpf.most))
        VMPF_SET(vmpf.most, (uint64_t)live);
}

void vmpf_flush(vmpf_book_t *b)
{
    Vmpfhead_t *h = vmpf.head;
    uint64_t live = __atomic_add_fetch(&h->live, (uint64_t)b->bytes, __ATOMIC_RELAXED);
    uint64_t blocks = __atomic_add_fetch(&h->blocks, (uint64_t)b->blocks, __ATOMIC_RELAXED);
    b->bytes = b->blocks = 0;
    compare((int64_t)live, (int64_t)blocks);
}

/* Alone: the sum, without telling it. */
static void reached_alone(vmpf_book_t *b)
{
    const Vmpfhead_t *h = vmpf.head;
    int64_t live = (int64_t)VMPF_GET(h->live) + b->bytes;
    if (live > (int64_t)VMPF_GET(vmpf.most))
        compare(live, (int64_t)VMPF_GET(h->blocks) + b->blocks);
    VMPF_SET(b->room, (int64_t)VMPF_GET(vmpf.most) - live);
    b->floor = INT64_MIN;
}

VMOS_NOINLINE void vmpf_reached(vmpf_book_t *b)
{
    int64_t least = 4096 + (int64_t)(VMPF_GET(vmpf.head->live) >> 10);
    if (VMOS_LIKELY(VMPF_GET(vmpf.active) <= 1)) {
        reached_alone(b);
        return;
    }
    if (b->bytes > least || b->bytes < -least)
        vmpf_flush(b);
    VMPF_SET(b->room, least - b->bytes);
    b->floor = -least;
}

/* A store of the book's own thread may come after ours: then it looks again at its next tick. */
void vmpf_reconsider(void)
{
    for (vmpf_book_t *b = books(); b != NULL; b = b->next)
        VMPF_SET(b->room, -1);
}

/* ---- fork ---- */

void vmpf_books_forked(int keep)
{
    uintptr_t self = vmos_self();
    for (vmpf_book_t *b = vmpf.books; b != NULL; b = b->next) {
        if (keep)
            vmpf_flush(b);
        else
            __builtin_memset(b->table, 0, sizeof(vmpf_slot_t) << b->bits);
        b->bytes = b->blocks = 0;
        b->count = keep ? b->count : 0;
        b->random = 0;
        b->room = -1;
        b->busy = 0;
        b->ticks = 1;
        if (b->owner != self)
            b->owner = 0;
    }
    vmpf.active = named(self) != NULL;
}
