/* SPDX-License-Identifier: MIT */
/*
 * class: size classes of Vmbest's slabs.
 *
 * Class sizes are 16 * j * 2^k: j = 1..16 for k = 0, then j = 9..16 for k = 1..7, so that 16, 32,
 * ..., 256 are followed by eight sizes to each doubling, up to 32 KiB: rounding wastes at most 1/9
 * beyond 128 bytes.  Its index is 8k + j - 1.
 *
 * A slab of class (j, k) has j pages and holds exactly 256 / 2^k blocks: no byte of it is lost, for
 * 4096 j = (16 j 2^k) (256 / 2^k).  From k = 3 on it has twice as many of both, and four times for
 * k = 4 to 6: up to 64 blocks in up to 64 pages, for with few blocks a slab is full, or empty, after a
 * few calls.  Where memory is scarce, and at first, a slab takes fewer pages.
 *
 * Index of the block at offset off: off * recip >> 32 with recip = ceil(2^32 / size).  With
 * e = recip * size - 2^32 < size, the product for off = i * size + r is i * 2^32 + i * e + r * recip.
 * So it is exact, and its low half tells whether off is a multiple of size (then, and only then, it is
 * below recip), as long as (i + 1) * e < recip.  As e < 2^(k+8) and recip >= 2^(24-k) that holds for
 * any slab up to k = 4; beyond, the sizes that there are allow 117, 24 and 5 blocks for k = 5, 6 and 7, and
 * slabs have 32, 16 and 4 (test/method/best_class.c tries each offset).
 */
#ifndef VM_CLASS_H
#define VM_CLASS_H 1

#include "base.h"

#define BE_CLASSES 72
#define BE_SMALLMAX 32768u /* largest size that a slab serves */
#define BE_TABLEMAX 4096u
#define BE_BIGFROM 32 /* class from which slabs have more pages: k = 3 */

/* Of sizes up to BE_TABLEMAX, by (size + 15) / 16: the class, and where a lane has its cursor. */
extern const uint8_t vmbe_classtab[BE_TABLEMAX / 16 + 1];
extern const uint16_t vmbe_cursortab[BE_TABLEMAX / 16 + 1];
extern const uint16_t vmbe_classbytes[BE_CLASSES];
/* ceil(2^32 / block size). */
extern const uint32_t vmbe_classrecip[BE_CLASSES];

/* Class of a size from 1 to BE_SMALLMAX. */
VMOS_INLINE unsigned vmbe_class_of(size_t size)
{
    size_t t = (size - 1) >> 4;
    unsigned k = (unsigned)vmb_log2(t | 15) - 3;
    return 8 * k + (unsigned)(t >> k);
}
VMOS_INLINE unsigned vmbe_class(size_t size)
{
    return VMOS_LIKELY(size <= BE_TABLEMAX) ? vmbe_classtab[(size + 15) >> 4]
                                            : vmbe_class_of(size);
}
VMOS_INLINE unsigned vmbe_class_k(unsigned cls) { return cls < 16 ? 0 : cls / 8 - 1; }
VMOS_INLINE unsigned vmbe_class_j(unsigned cls) { return cls < 16 ? cls + 1 : cls % 8 + 9; }
VMOS_INLINE size_t vmbe_class_size(unsigned cls)
{
    return (size_t)16 * vmbe_class_j(cls) << vmbe_class_k(cls);
}
VMOS_INLINE unsigned vmbe_class_pages(unsigned cls)
{
    static const uint8_t shift[8] = {0, 0, 0, 1, 2, 2, 2, 1};
    return vmbe_class_j(cls) << shift[vmbe_class_k(cls)];
}
/* The fewest pages that make a slab of which at most an eighth is lost. */
unsigned vmbe_class_leastpages(unsigned cls);
/* The pages of a slab in a region of so many pages whose untouched memory is not free: the fewest while
 * j pages are more than a 64th of it, and up to vmbe_class_pages() later. */
unsigned vmbe_class_pageswithin(unsigned cls, size_t pages);

#endif
