/* SPDX-License-Identifier: MIT */
/*
 * access: whether a range of memory that a function of libc is about to use is all in one live block.
 * Memory in which no block ever was is nobody's business here.
 *
 * Cost: two loads for other memory; some 50 instructions for a block with a seat.  For others the way back to its
 * beginning, which a thread remembers for the parts of blocks that it used last: what is remembered is a number,
 * and counts if the descriptor says that the block is live and there.
 */
#include "books.h"

#include <string.h>

#define ALL ((size_t)-1)
#define BEFORE 256

/* Who reads beyond a block may do so for what somebody wrote there: the end of a text went with
 * it.  Then that is what is told. */
static int wasbroken(const vmdg_block_t *b, int write, const char *call)
{
    return !write && b->state == VMDG_LIVE && vmdg_check_block(b->id, call);
}

static VMOS_COLD void tell(const vmdg_block_t *b, vmdg_kind_t kind, const char *a, size_t n, int write,
                           const char *call)
{
    vmdg_error_t e;
    if (wasbroken(b, write, call))
        return;
    vmdg_error_init(&e, kind, VMDG_ATACCESS, a);
    e.call = call;
    e.access = write ? VMDG_WRITE : VMDG_READ;
    e.length = n;
    e.block = *b;
    e.region = b->region;
    e.offset = a - b->addr;
    if (!write && kind == VMDG_PAST && b->size >= 4 && vmdg_filling(b->addr, b->size) == VMDG_NEWBYTE)
        e.detail = "which was never written";
    if (write || b->guarded != VMDG_NOGUARD) /* what it damages, or comes to, needs no second report */
        __atomic_fetch_or(&vmdg_desc(b->id)->what, VMDG_REPORTED, __ATOMIC_RELAXED);
    vmdg_tell(&e);
}

/* Bytes of block id from a on, if it is live and a lies in it, else 0. */
VMOS_INLINE size_t left(uint32_t id, const char *a)
{
    const vmdg_desc_t *d = vmdg_desc(id);
    uint64_t what = vmdg_what(d);
    size_t at = (size_t)(a - vmdg_addr(d)), size = vmdg_sizeof(what);
    return VMOS_LIKELY(vmdg_stateof(what) == VMDG_LIVE) && at < size ? size - at : 0;
}

VMOS_INLINE uint32_t *seen(const char *a)
{
    return &vmdg_self.seen[(uintptr_t)a / VMDG_PART % VMDG_SEEN];
}

/* With one region no block lies in another one. */
static void remember(const char *a, uint32_t id)
{
    if (VMOS_LIKELY(vmdg_regions() == 1))
        *seen(a) = id;
}

/* The shortest way for what is most frequent: bytes from a on of the live block whose seat is that of the address,
 * or that the thread used before, or that has the seat before; 0: look closer.  With more regions only where a
 * block begins. */
VMOS_INLINE size_t quick(vmdg_leaf_t *l, const char *a)
{
    uint64_t rule = vmdg_ruleof(l, (uintptr_t)a);
    uint32_t id = 0;
    size_t n = 0;
    if (VMOS_UNLIKELY(vmdg_regions() != 1))
        return (id = vmdg_index_get(a)) != 0 ? left(id, a) : 0;
    if (VMOS_LIKELY((rule & VMDG_FIRSTMASK) != 0))
        n = left(id = vmdg_seatof(rule, (uintptr_t)a), a);
    if (n == 0 && *seen(a) != 0) /* there may be no descriptors yet */
        n = left(*seen(a), a);
    if (VMOS_UNLIKELY(n == 0 && rule & VMDG_GRANS))
        n = left(vmdg_index_near(a), a);
    return n != 0 || id == 0 ? n : left(id - 1, a);
}

/* The block that a range of n bytes begins in, or else a live one that it comes into from a little before: who
 * copies a whole region with its blocks begins farther away. */
static int find(const char *a, size_t n, vmdg_block_t *b)
{
    const char *last = a + (n - 1);
    if (vmdg_index_maybe(a) && vmdg_around(a, b) == 0)
        return 0;
    if (last < a || !vmdg_index_maybe(last) || vmdg_around(last, b) != 0)
        return -1;
    return b->state == VMDG_LIVE && a < b->addr && last >= b->addr && b->addr - a <= BEFORE ? 0 : -1;
}

static VMOS_NOINLINE void closer(const char *a, size_t n, int write, const char *call)
{
    vmdg_block_t b;
    if (vmdg_self.inside || find(a, n, &b) != 0)
        return;
    if (b.state == VMDG_LIVE)
        remember(a, b.id);
    if (b.state == VMDG_FREED)
        tell(&b, VMDG_AFTERFREE, a, n, write, call);
    else if (b.state != VMDG_LIVE)
        return; /* memory of regions that are gone may have another owner by now */
    else if (a < b.addr)
        tell(&b, VMDG_BEFORE, a, VMB_MIN(n, (size_t)(b.addr - a)), write, call);
    else if (n > b.size || (size_t)(a - b.addr) > b.size - n)
        tell(&b, VMDG_PAST, a > b.addr + b.size ? a : b.addr + b.size,
             (size_t)(a - b.addr) + n - VMB_MAX(b.size, (size_t)(a - b.addr)), write, call);
}

void vmdg_access(const void *addr, size_t n, int write, const char *call)
{
    vmdg_leaf_t *l = vmdg_leafof((uintptr_t)addr);
    if (n != 0 && l != NULL && VMOS_UNLIKELY(n > quick(l, addr)))
        closer(addr, n, write, call);
}

static VMOS_NOINLINE size_t room(const char *a)
{
    vmdg_block_t b;
    if (!vmdg_index_maybe(a) || vmdg_around(a, &b) != 0 || b.state != VMDG_LIVE || a < b.addr)
        return ALL;
    remember(a, b.id);
    return a < b.addr + b.size ? (size_t)(b.addr + b.size - a) : 0;
}

size_t vmdg_room(const void *addr)
{
    vmdg_leaf_t *l = vmdg_leafof((uintptr_t)addr);
    size_t n;
    if (l == NULL)
        return ALL;
    n = quick(l, addr);
    return VMOS_LIKELY(n != 0) ? n : room(addr);
}

void vmdg_overlapping(const void *to, const void *from, size_t n, const char *call)
{
    const char *t = to, *f = from;
    vmdg_error_t e;
    if (VMOS_LIKELY(t == f || (size_t)(t - f) >= n) && VMOS_LIKELY(t == f || (size_t)(f - t) >= n))
        return;
    vmdg_error_init(&e, VMDG_OVERLAPCOPY, VMDG_ATACCESS, to);
    e.call = call;
    e.length = n;
    vmdg_around(to, &e.block);
    vmdg_around(from, &e.other);
    if (e.block.addr != NULL)
        e.offset = t - e.block.addr;
    vmdg_tell(&e);
}

VMOS_COLD void vmdg_printed(int filling, size_t value, const char *call)
{
    vmdg_error_t e;
    vmdg_error_init(&e, filling == VMDG_NEWBYTE ? VMDG_UNINIT : VMDG_AFTERFREE, VMDG_ATACCESS, NULL);
    e.call = call;
    e.access = VMDG_READ;
    e.what = value == VMDG_TEXT ? "its text" : value == VMDG_NUMBER ? "its number" : "of its format";
    e.given = value != VMDG_NUMBER ? value : 0;
    vmdg_tell(&e);
}
