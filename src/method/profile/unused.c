/* SPDX-License-Identifier: MIT */
/*
 * unused: bytes of blocks that were asked for and never written, at the ends of blocks.
 *
 *   filled    | written ............... | f9 f9 f9 f9 f9 |     up to VMPF_FILLMOST bytes
 *   zeroed    | written ............... | 00 00 00 00 00 |     larger ones, and those of calloc()
 *                                         <-- unused -->
 *
 * A block begins with bytes that are known, and how many of them stand at its end when it goes, or when
 * the program ends, is counted for its site.  What was written as it was before is not told from what was
 * not written: of a filled block hardly ever a byte (f9 ends no text, no address, and few numbers); of a
 * zeroed one all zeros that the program itself put at the end.  A block that is resized counts with what
 * it was at that moment, and anew from then on, as it does for all sums.
 *
 * Large blocks are not touched for this: the lower method knows which of its memory is zeros already.
 * Large aligned blocks cannot be had as zeros, and count as written.
 *
 * Cost: a fill of each block, at most 64 KiB, and a look at what was not written.
 */
#include "count.h"
#include "os_stack.h"

#include <string.h>

#define FILL 0xf9u

void vmpf_fill(char *p, size_t size)
{
    if (size <= VMPF_FILLMOST)
        memset(p, FILL, size);
    else
        p[size - 1] = 0; /* nothing is known of the rest */
}

static size_t same(const unsigned char *p, size_t n, unsigned char fill)
{
    uint64_t word = fill * UINT64_C(0x0101010101010101), x;
    size_t left = n;
    while (left % sizeof x != 0 && p[left - 1] == fill)
        left--;
    while (left % sizeof x == 0 && left > 0 && (memcpy(&x, p + left - sizeof x, sizeof x), x == word))
        left -= sizeof x;
    while (left > 0 && p[left - 1] == fill)
        left--;
    return n - left;
}

/* Before the zeros of a block that was filled once and has grown there is what of that was not written. */
size_t vmpf_unused(const char *p, const vmpf_tail_t *t)
{
    const unsigned char *s = (const unsigned char *)p;
    size_t size = (size_t)t->size, n;
    if (t->site == 0)
        return 0;
    n = t->site & VMPF_ZEROED ? same(s, size, 0) : 0;
    return n + same(s, size - n, FILL);
}

static void count(const vmpf_tail_t *t, size_t n)
{
    __atomic_add_fetch(&vmpf_site(t->site & VMPF_SITEBITS)->unused, n, __ATOMIC_RELAXED);
}

/* To look takes its time: the profile may be sealed meanwhile, which has looked at the block itself. */
void vmpf_unused_add(const vmpf_tail_t *t, size_t n)
{
    vmpf_book_t *b;
    if (n == 0 || (b = vmpf_enter()) == NULL)
        return;
    count(t, n);
    vmpf_leave(b);
}

/* ---- blocks that are resized ---- */

int vmpf_unused_zeroed(const vmpf_tail_t *t, size_t size, int type)
{
    return (t->site & VMPF_ZEROED) || size > VMPF_FILLMOST || (type & VM_RSZERO);
}

/* What the block holds is the program's, whatever it looks like.  Behind have the lower method has cleared
 * what is new. */
void vmpf_unused_resized(char *q, const vmpf_tail_t *t, size_t size, size_t have, int type, int kept)
{
    int zeroed = vmpf_unused_zeroed(t, size, type);
    size_t from = kept ? (size_t)t->size : 0, to = zeroed ? VMB_MIN(size, have) : size;
    if (to > from)
        memset(q + from, zeroed ? 0 : FILL, to - from);
}

/* ---- blocks that are there when their region goes, or the program ends ---- */

/* Programs take the rights from pages of their blocks, as guards or for good: these are left alone. */
static int readable(const void *p, size_t size)
{
    return size < vmos_kernelpage() || vmos_readable((uintptr_t)p, size) == size;
}

static int look(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    void (*add)(const vmpf_tail_t *t, size_t n) = *(void (**)(const vmpf_tail_t *, size_t))handle;
    vmpf_tail_t tail;
    (void)vm;
    if (busy && size >= VMPF_TAIL && readable(addr, size) && vmpf_peek_tail(addr, size, &tail) == 0 && tail.site != 0)
        (*add)(&tail, vmpf_unused(addr, &tail));
    return 0;
}

void vmpf_unused_rest(Vmalloc_t *vm, int atend)
{
    void (*add)(const vmpf_tail_t *t, size_t n) = atend ? count : vmpf_unused_add;
    if (vmpf_of(vm)->epoch == vmpf.epoch && vmmt_under(vm)->more->walkf != NULL)
        (*vmmt_under(vm)->more->walkf)(vm, look, &add);
}
