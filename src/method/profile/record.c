/* SPDX-License-Identifier: MIT */
/*
 * record: a block comes, a block goes.
 *
 *   block   | as asked for | rest | site: 32, birth: 32 | check: 16, size: 48 |
 *                                                                 end of the block
 *
 * The tail lies at the very end, behind the rest that rounding leaves, so that small overruns do
 * not reach it.  Its check covers all of it and the process's number of its profile: a tail that
 * was overwritten, or left by a process that had the region before, is not believed.
 *
 * The highest bit of a tail's site says that the block is a sample, and stands for others too; the next
 * one what it was filled with (unused.c).
 *
 * Most blocks of malloc() that are recorded one and all do not come here: see quick.c.  That all blocks
 * count is what functions are told by a constant, so that they are compiled for that.
 */
#include "best.h"
#include "count.h"
#include "fast.h"

/* ---- tails ---- */

/* In a child that began anew, blocks of the parent are not known, and that is no damage. */
int vmpf_read_tail(const char *p, size_t have, vmpf_tail_t *t)
{
    if (VMOS_LIKELY(vmpf_peek_tail(p, have, t) == 0))
        return 0;
    if (vmpf.head != NULL && vmpf.epoch == 1)
        __atomic_add_fetch(&vmpf.head->damaged, 1, __ATOMIC_RELAXED);
    t->site = 0;
    t->size = have - VMPF_TAIL;
    return -1;
}

/* ---- parts of a site ---- */

void vmpf_site_lock(Vmpfsite_t *s)
{
    while (__atomic_exchange_n(&s->lock, 1, __ATOMIC_ACQUIRE) != 0)
        vmos_yield();
}

void vmpf_site_unlock(Vmpfsite_t *s)
{
    __atomic_store_n(&s->lock, 0, __ATOMIC_RELEASE);
}

/* The other part; locked. */
static void raside(Vmpfsite_t *s)
{
    uint32_t mark = __atomic_load_n(&vmpf.head->mark, __ATOMIC_ACQUIRE);
    if (s->rmark == mark)
        return;
    s->rhighcalls = s->rfrees;
    s->rhighbytes = s->rfreed;
    s->rmark = mark;
}

static vmpf_amount_t estimate(size_t size, uint32_t birth)
{
    double w = vmpf_weight(size);
    uint64_t salt = size * 0x9e3779b97f4a7c15ULL + birth;
    return (vmpf_amount_t){vmpf_round(w, salt), vmpf_round(w * (double)size, ~salt)};
}

VMOS_INLINE vmpf_amount_t amount(const vmpf_tail_t *t)
{
    return VMOS_LIKELY(!(t->site & VMPF_SAMPLE)) ? (vmpf_amount_t){1, t->size}
                                            : estimate((size_t)t->size, t->birth);
}

/* ---- a block comes ---- */

static void count_resize(Vmpfsite_t *s, size_t size, uint64_t n, const vmpf_birth_t *how)
{
    VMPF_ADD(s->resizes, n);
    VMPF_ADD(s->growth, size > how->old ? n * (size - how->old) : 0);
    VMPF_ADD(s->copied, how->moved ? n * VMB_MIN(size, how->old) : 0);
}

VMOS_INLINE void count_birth(Vmpfsite_t *s, vmpf_amount_t a, size_t size, size_t have,
                             const vmpf_birth_t *how, int sample)
{
    vmpf_add_birth(s, a, size, have);
    if (sample)
        VMPF_ADD(s->samples, 1);
    if (how != NULL && how->resized)
        count_resize(s, size, a.n, how);
}

/* Whether a point falls on a block of size bytes. */
static int due(vmpf_book_t *b, const vmpf_region_t *st, size_t size)
{
    int64_t bytes = (int64_t)vmpf_bytes(size);
    if (st->all)
        return 1;
    if (VMOS_UNLIKELY(vmpf_left < VMPF_UNDRAWN))
        vmpf_draw(b);
    vmpf_left -= bytes;
    if (VMOS_LIKELY(vmpf_left >= 0))
        return 0;
    vmpf_draw(b);
    return 1;
}

/* Whether the lane with the meter is the thread's still: vmclear() drops all lanes of a region, and what
 * lies there then is something else. */
static int metered(const vmpf_book_t *b)
{
    return b->meter != NULL && vmbe_mylane(b->metered) == b->meter && b->meter->meter != NULL &&
           BE_LOAD(b->meter->tid) == vmos_self();
}

/* The thread's clock where not all allocations are seen: units of 16 bytes; else b->calls is. */
static VMOS_NOINLINE uint32_t sampled_clock(const vmpf_book_t *b)
{
    uint64_t metered_bytes = metered(b) ? vmbe_meter_bytes(b->meter) : 0;
    return (uint32_t)((b->drawn - (uint64_t)vmpf_left + metered_bytes) >> 4);
}

/* The same for one who asks how long ago birth was: the meter's last looks do where that is long. */
static uint32_t sampled_since(const vmpf_book_t *b, uint32_t birth)
{
    uint64_t seen = metered(b) ? b->meter->meter->bytes : 0;
    uint32_t since = (uint32_t)((b->drawn - (uint64_t)vmpf_left + seen) >> 4) - birth;
    return since >> 17 != 0 && (int32_t)since > 0 ? since : sampled_clock(b) - birth;
}

/* Another lane's meter tells another time: what came before lies far back. */
void vmpf_clock(vmpf_book_t *b, struct vmbe_lane *lane)
{
    if (b->meter != lane)
        b->drawn += (uint64_t)1 << 35;
    b->meter = lane;
    b->metered = lane->be;
}

/* A stack that the thread was in before is known again without a walk. */
VMOS_INLINE uint32_t site_here(vmpf_book_t *b, vmpf_region_t *st)
{
    void *pcs[VMPF_DEPTHMAX];
    vmr_place_t place = vmr_seeplace();
    uint64_t salt = st->serial;
    vmsk_here_t here;
    uint32_t *known, site;
    size_t n;
    if (VMOS_UNLIKELY(place.file != NULL))
        salt += vmb_mix((uintptr_t)place.file + ((uint64_t)place.line << 48));
    known = VMOS_LIKELY(b->again != NULL) ? vmsk_known(b->again, salt, &here) : NULL;
    if (VMOS_LIKELY(known != NULL))
        return *known;
    n = vmsk_capture(pcs, vmpf.depth, 0);
    site = vmpf_find(b, st, pcs, n, &place);
    if (b->again != NULL && site != 0 && site != st->other)
        vmsk_remember(b->again, &here, pcs, n, site);
    return site;
}

VMOS_INLINE uint32_t record(vmpf_book_t *b, vmpf_region_t *st, vmpf_amount_t a, size_t size, size_t have,
                            const vmpf_birth_t *how, int sample)
{
    uint32_t site = site_here(b, st);
    Vmpfsite_t *s = vmpf_site(site);
    if (site == 0)
        return 0;
    if (VMOS_UNLIKELY(site == st->other))
        vmpf_site_lock(s);
    count_birth(s, a, size, have, how, sample);
    if (VMOS_UNLIKELY(site == st->other))
        vmpf_site_unlock(s);
    vmpf_count(b, (int64_t)a.bytes, (int64_t)a.n);
    if (!st->malloc)
        vmpf_region_count(st, (int64_t)a.bytes);
    return site;
}

static VMOS_NOINLINE void born_sampled(vmpf_book_t *b, vmpf_region_t *st, vmpf_tail_t *t,
                                       size_t have, const vmpf_birth_t *how)
{
    size_t size = (size_t)t->size;
    int counts = due(b, st, size);
    vmpf_amount_t a;
    t->birth = sampled_clock(b);
    if (!counts)
        return;
    a = estimate(size, t->birth);
    t->site = record(b, st, a, size, have, how, 1);
    if (t->site == 0)
        return;
    t->site |= VMPF_SAMPLE;
    b->scalls += (double)a.n;
    b->sbytes += (double)a.bytes;
}

void vmpf_born(vmpf_region_t *st, char *p, size_t size, size_t have, const vmpf_birth_t *how)
{
    vmpf_tail_t tail = {0, 0, size};
    vmpf_book_t *b = vmpf_enter();
    if (VMOS_LIKELY(b != NULL)) {
        if (vmpf_full()) {
            tail.birth = (uint32_t)b->calls;
            tail.site = record(b, st, (vmpf_amount_t){1, size}, size, have, how, 0);
            if (how != NULL && how->zeroed && tail.site != 0)
                tail.site |= VMPF_ZEROED;
        } else {
            born_sampled(b, st, &tail, have, how);
        }
        VMPF_ADD(b->calls, 1);
        vmpf_leave(b);
    }
    vmpf_write_tail(p, have, tail.site, tail.birth, tail.size);
}

/* ---- a block goes ---- */

/* Allocations of its thread since the one at birth.  Of a sample: bytes, divided by their mean.  Of
 * one that came while all blocks counted, when they do no longer: it is old. */
VMOS_INLINE uint32_t life(const vmpf_book_t *b, const vmpf_tail_t *t)
{
    double blocks;
    if (VMOS_LIKELY(!(t->site & VMPF_SAMPLE)))
        return vmpf_full() ? (uint32_t)b->calls - t->birth - 1 : UINT32_MAX;
    if (b->scalls <= 0)
        return 0;
    blocks = sampled_since(b, t->birth) * 16.0 * b->scalls / (b->sbytes + 1);
    return blocks < UINT32_MAX ? (uint32_t)blocks : UINT32_MAX;
}

VMOS_INLINE void own_death(Vmpfsite_t *s, vmpf_amount_t a, uint32_t lived, int sample)
{
    vmpf_add_death(s, a, lived);
    if (VMOS_UNLIKELY(sample))
        VMPF_ADD(s->sfrees, 1);
}

/* By another thread than the one that has the book of the site, whose clock is read as it is. */
static uint32_t rlife(const Vmpfsite_t *s, const vmpf_tail_t *t)
{
    const vmpf_book_t *b = vmpf_book(s->thread);
    if (b == NULL || t->site & VMPF_SAMPLE || !vmpf_full())
        return UINT32_MAX;
    return (uint32_t)__atomic_load_n(&b->calls, __ATOMIC_RELAXED) - t->birth - 1;
}

static void other_death(Vmpfsite_t *s, vmpf_amount_t a, const vmpf_tail_t *t)
{
    uint32_t lived = rlife(s, t);
    vmpf_site_lock(s);
    raside(s);
    VMPF_ADD(s->rfrees, a.n);
    VMPF_SET(s->rfreed, s->rfreed + a.bytes);
    VMPF_ADD(s->rshort, lived < vmpf.head->nearby ? a.n : 0);
    VMPF_ADD(s->rsfrees, (t->site & VMPF_SAMPLE) != 0);
    vmpf_add32(&s->rlives[vmpf_lifebin(lived)], a.n);
    vmpf_site_unlock(s);
}

void vmpf_died(vmpf_region_t *st, const vmpf_tail_t *tail)
{
    vmpf_book_t *b;
    Vmpfsite_t *s;
    vmpf_amount_t a;
    if (tail->site == 0 || (b = vmpf_enter()) == NULL)
        return;
    s = vmpf_site(tail->site & VMPF_SITEBITS);
    a = amount(tail);
    if (VMOS_LIKELY(s->thread == b->number))
        own_death(s, a, life(b, tail), (tail->site & VMPF_SAMPLE) != 0);
    else
        other_death(s, a, tail);
    vmpf_count(b, -(int64_t)a.bytes, -(int64_t)a.n);
    if (!st->malloc)
        vmpf_region_count(st, -(int64_t)a.bytes);
    vmpf_leave(b);
}

void vmpf_dropped(Vmpfsite_t *s)
{
    uint64_t n, bytes;
    vmpf_site_lock(s);
    raside(s);
    n = VMPF_GET(s->calls) - VMPF_GET(s->frees) - s->rfrees;
    bytes = VMPF_GET(s->bytes) - VMPF_GET(s->freed) - s->rfreed;
    VMPF_SET(s->rfrees, s->rfrees + n);
    VMPF_SET(s->rfreed, s->rfreed + bytes);
    VMPF_SET(s->rsfrees, VMPF_GET(s->samples) - VMPF_GET(s->sfrees));
    vmpf_site_unlock(s);
    __atomic_sub_fetch(&vmpf.head->live, bytes, __ATOMIC_RELAXED);
    __atomic_sub_fetch(&vmpf.head->blocks, n, __ATOMIC_RELAXED);
}
