/* SPDX-License-Identifier: MIT */
/*
 * small: areas too small for pages, down to some hundred bytes.
 *
 *   header | base[0] [1] [2] ...   granules of 16 bytes, n of them | start | busy
 *   start  1  0  0  1  1  0  0 0   a block starts here
 *   busy   1  1  1  1  1  1  0 0   belongs to a block
 *                           ^bump  all free from here on
 *
 * Blocks are runs of granules.  Allocation takes the tightest hole below bump, lowest address first
 * (best fit), else moves bump; a region that is only filled never searches.  Cost: a search reads
 * the bitmaps below bump, at most a few hundred words.  When the segment grows behind the area, the
 * bitmaps move to the new end and their old place becomes granules.
 */
#include "best.h"

#define GRAN 16u

static size_t granules(size_t size) { return (size + GRAN - 1) / GRAN + (size == 0); }

/* Lay the two bitmaps against end: sets n, start and busy. */
static void layout(vmbe_small_t *a, char *end)
{
    size_t room = (size_t)(end - a->base), n = room / GRAN, words;
    for (;; n--) {
        words = (n + 63) / 64;
        if (n * GRAN + 2 * words * sizeof(uint64_t) <= room)
            break;
    }
    a->n = (uint32_t)n;
    a->end = end;
    a->start = (uint64_t *)(void *)(a->base + n * GRAN);
    a->busy = a->start + words;
}

vmbe_small_t *vmbe_small_make(vmbe_t *be, Vmseg_t *seg, char *base, char *end)
{
    vmbe_small_t *a = (vmbe_small_t *)VMB_UP(base, GRAN);
    if (base >= end || (char *)(a + 1) + 4 * GRAN > end || end - base > INT32_MAX)
        return NULL;
    a->seg = seg;
    a->base = (char *)VMB_UP(a + 1, GRAN);
    layout(a, end);
    a->bump = a->holes = a->bound = 0;
    vmos_own(a->start, (size_t)((char *)a->busy - (char *)a->start) * 2);
    __builtin_memset(a->start, 0, (size_t)((char *)a->busy - (char *)a->start) * 2);
    a->next = be->smalls;
    be->smalls = a;
    return a;
}

void vmbe_small_grow(vmbe_t *be, vmbe_small_t *a, char *end)
{
    uint64_t *start = a->start, *busy = a->busy;
    size_t words = (size_t)(busy - start), more;
    vmbe_note(be, a, sizeof(*a));
    vmbe_note(be, start, 2 * words * sizeof(uint64_t));
    layout(a, end);
    more = (size_t)(a->busy - a->start) - words;
    vmos_own(a->start, 2 * (words + more) * sizeof(uint64_t));
    __builtin_memmove(a->busy, busy, words * sizeof(uint64_t)); /* upwards: the last one first */
    __builtin_memmove(a->start, start, words * sizeof(uint64_t));
    __builtin_memset(a->start + words, 0, more * sizeof(uint64_t));
    __builtin_memset(a->busy + words, 0, more * sizeof(uint64_t));
}

/* Granules to skip from g on until the address is a multiple of align. */
static size_t skip(const vmbe_small_t *a, size_t g, size_t align)
{
    uintptr_t r = (uintptr_t)(a->base + g * GRAN) % align;
    return r ? (align - r) / GRAN : 0; /* align is a multiple of GRAN here */
}

/* What says something of granules [g, g+n) may change. */
static void note(vmbe_t *be, const vmbe_small_t *a, size_t g, size_t n)
{
    size_t words = ((g + n - 1) >> 6) - (g >> 6) + 1;
    if (be->log == NULL || n == 0)
        return;
    vmbe_note(be, a, sizeof(*a));
    vmbe_note(be, &a->start[g >> 6], words * sizeof(uint64_t));
    vmbe_note(be, &a->busy[g >> 6], words * sizeof(uint64_t));
}

static void *take(vmbe_t *be, vmbe_small_t *a, size_t g, size_t n)
{
    note(be, a, g, n);
    if (g >= a->bump) {
        a->holes += (uint32_t)(g - a->bump);
        if (g > a->bump)
            a->bound = (uint32_t)VMB_MAX(a->bound, g - a->bump);
        a->bump = (uint32_t)(g + n);
    } else {
        a->holes -= (uint32_t)n;
    }
    vmb_bit_set(a->start, g); /* first: see vmbe_small_repair() */
    vmb_bits_set(a->busy, g, n);
    be->nsmall++;
    be->ssmall += n * GRAN;
    return a->base + g * GRAN;
}

/* Best hole for n granules below bump: its first granule that fits align, or bump. */
static size_t besthole(vmbe_small_t *a, size_t n, size_t align)
{
    size_t g = 0, best = a->bump, bestlen = SIZE_MAX, largest = 0;
    while ((g = vmb_bits_next0(a->busy, g, a->bump)) < a->bump) {
        size_t e = vmb_bits_next1(a->busy, g, a->bump);
        if (e - g > largest)
            largest = e - g;
        if (e - g >= n && e - g < bestlen) {
            size_t s = align > GRAN ? skip(a, g, align) : 0;
            if (e - g >= s + n) {
                best = g + s;
                bestlen = e - g;
                if (bestlen == n)
                    return best;
            }
        }
        g = e;
    }
    a->bound = (uint32_t)largest;
    return best;
}

static void *area_alloc(vmbe_t *be, vmbe_small_t *a, size_t n, size_t align)
{
    size_t g;
    vmbe_note(be, a, sizeof(*a)); /* a search corrects what is known of holes */
    if (a->holes >= n && a->bound >= n && (g = besthole(a, n, align)) < a->bump)
        return take(be, a, g, n);
    g = a->bump + (align > GRAN ? skip(a, a->bump, align) : 0);
    return g <= a->n && a->n - g >= n ? take(be, a, g, n) : NULL;
}

void *vmbe_small_alloc(vmbe_t *be, size_t size, size_t align)
{
    vmbe_small_t *a;
    void *p;
    size_t n = granules(size);
    if (size > SIZE_MAX - GRAN)
        return NULL;
    for (a = be->smalls; a; a = a->next)
        if (n <= a->n && (p = area_alloc(be, a, n, align)) != NULL)
            return p;
    return NULL;
}

void *vmbe_small_get(vmbe_t *be, size_t size)
{
    void *p;
    if (be->log != NULL || BE_SEE(be->hub) != NULL)
        return NULL;
    vmr_lock(be->vm);
    p = vmbe_small_alloc(be, size, GRAN);
    vmr_unlock(be->vm);
    return p;
}

vmbe_small_t *vmbe_small_find(vmbe_t *be, const void *p)
{
    vmbe_small_t *a;
    for (a = be->smalls; a; a = a->next)
        if ((const char *)p >= a->base && (const char *)p < a->base + (size_t)a->n * GRAN)
            return a;
    return NULL;
}

/* Granules of the block that starts at granule g. */
static size_t length(const vmbe_small_t *a, size_t g)
{
    size_t next = g + 1 < a->bump ? vmb_bits_next1(a->start, g + 1, a->bump) : a->bump;
    return vmb_bits_next0(a->busy, g, next) - g;
}

/* Granule of the block that starts at p, or a->n. */
static size_t granule(const vmbe_small_t *a, const void *p)
{
    size_t off = (size_t)((const char *)p - a->base), g = off / GRAN;
    return off % GRAN == 0 && g < a->bump && vmb_bit(a->start, g) ? g : a->n;
}

size_t vmbe_small_size(const vmbe_small_t *a, const void *p)
{
    size_t g = granule(a, p);
    return g < a->n ? length(a, g) * GRAN : 0;
}

char *vmbe_small_start(const vmbe_small_t *a, const void *p)
{
    size_t g = (size_t)((const char *)p - a->base) / GRAN;
    if (g >= a->bump || !vmb_bit(a->busy, g))
        return NULL;
    return a->base + vmb_bits_prev1(a->start, g) * GRAN;
}

/* Granules [g, g+n) become free. */
static void release(vmbe_small_t *a, size_t g, size_t n)
{
    size_t last;
    vmb_bits_clear(a->busy, g, n);
    if (g + n < a->bump) {
        size_t lo = g == 0 ? (size_t)-1 : vmb_bits_prev1(a->busy, g - 1);
        size_t hi = vmb_bits_next1(a->busy, g + n, a->bump);
        a->holes += (uint32_t)n;
        a->bound = (uint32_t)VMB_MAX(a->bound, hi - (lo + 1));
        return;
    }
    last = g == 0 ? (size_t)-1 : vmb_bits_prev1(a->busy, g - 1);
    a->holes -= (uint32_t)(g - (last + 1));
    a->bump = (uint32_t)(last + 1);
}

int vmbe_small_free(vmbe_t *be, vmbe_small_t *a, void *p)
{
    size_t g = granule(a, p), n;
    if (g >= a->n)
        return -1;
    n = length(a, g);
    note(be, a, g, n);
    release(a, g, n);
    vmb_bit_clear(a->start, g);
    be->nsmall--;
    be->ssmall -= n * GRAN;
    return 0;
}

int vmbe_small_resize(vmbe_t *be, vmbe_small_t *a, void *p, size_t size)
{
    size_t g = granule(a, p), n, want, e;
    if (g >= a->n || size > SIZE_MAX - GRAN)
        return -1;
    n = length(a, g);
    want = granules(size);
    note(be, a, g, VMB_MAX(want, n) < a->n - g ? VMB_MAX(want, n) : a->n - g);
    if (want < n) {
        release(a, g + want, n - want);
    } else if (want > n) {
        e = vmb_bits_next1(a->busy, g + n, a->bump);
        if (e >= a->bump)
            e = a->n;
        if (want > e - g)
            return -1;
        if (g + want > a->bump) {
            a->holes -= (uint32_t)(a->bump - (g + n));
            a->bump = (uint32_t)(g + want);
        } else {
            a->holes -= (uint32_t)(want - n);
        }
        vmb_bits_set(a->busy, g + n, want - n);
    }
    be->ssmall += (want - n) * GRAN; /* modular: shrinks too */
    return 0;
}

void vmbe_small_repair(vmbe_t *be, vmbe_small_t *a)
{
    size_t words = ((size_t)a->n + 63) / 64, i, g;
    for (i = 0; i < words; i++)
        a->start[i] &= a->busy[i];
    for (g = 0; g < a->n && !vmb_bit(a->start, g); g++)
        vmb_bit_clear(a->busy, g);
    g = vmb_bits_prev1(a->busy, a->n - 1);
    a->bump = g == (size_t)-1 ? 0 : (uint32_t)g + 1;
    a->holes = a->bump;
    a->bound = a->bump;
    for (g = 0; (g = vmb_bits_next1(a->start, g, a->bump)) < a->bump; g += i) {
        i = length(a, g);
        a->holes -= (uint32_t)i;
        be->nsmall++;
        be->ssmall += i * GRAN;
    }
}

int vmbe_small_walk(vmbe_t *be, const vmbe_small_t *a, Vmblock_f f, void *handle)
{
    size_t g = 0;
    int r = 0;
    while (g < a->n) {
        int busy = g < a->bump && vmb_bit(a->busy, g);
        size_t e = busy ? g + length(a, g) : vmb_bits_next1(a->busy, g, a->bump);
        if (!busy && e >= a->bump)
            e = a->n;
        if ((r = f(be->vm, a->base + g * GRAN, (e - g) * GRAN, busy, handle)) < 0)
            return r;
        g = e;
    }
    return r;
}

int vmbe_small_check(vmbe_t *be, const vmbe_small_t *a)
{
    size_t g, holes = 0, words = ((size_t)a->n + 63) / 64;
    int bad = 0;
    if (a->bump > a->n || a->bound > a->n) {
        vmmtfault(be->vm, a, "small area: limits are wrong");
        return 1;
    }
    for (g = 0; g < words; g++)
        if (a->start[g] & ~a->busy[g]) {
            vmmtfault(be->vm, a->base + g * 64 * GRAN, "small area: a block starts in free memory");
            bad++;
        }
    for (g = 0; g < a->bump; g++)
        holes += !vmb_bit(a->busy, g);
    if (holes != a->holes || vmb_bits_next1(a->busy, a->bump, a->n) != a->n) {
        vmmtfault(be->vm, a, "small area: free memory is miscounted");
        bad++;
    }
    return bad;
}

static int largest(Vmalloc_t *vm, void *addr, size_t size, int busy, void *handle)
{
    size_t *st = handle; /* busy, hole, holes */
    (void)vm, (void)addr;
    if (size > st[!busy])
        st[!busy] = size;
    st[2] += !busy;
    return 0;
}

void vmbe_small_stat(const vmbe_small_t *a, size_t *busy, size_t *hole, size_t *nholes)
{
    size_t st[3] = {0, 0, 0};
    vmbe_t none = {0};
    vmbe_small_walk(&none, a, largest, st);
    *busy = st[0];
    *hole = st[1];
    *nholes = st[2];
}
