/* SPDX-License-Identifier: MIT */
/* class: tables of the size classes; class.h has the rule, test/method/best_class.c compares. */
#include "best.h"

/* D, E, F, G: as many entries in turn as a step of the class is wide: 2, 4, 8, 16. */
#define TABLE                                                                                     \
    C(0), C(0), C(1), C(2), C(3), C(4), C(5), C(6), C(7), C(8), C(9), C(10), C(11), C(12), C(13), \
        C(14), C(15), D(16), D(17), D(18), D(19), D(20), D(21), D(22), D(23), E(24), E(25),       \
        E(26), E(27), E(28), E(29), E(30), E(31), F(32), F(33), F(34), F(35), F(36), F(37),       \
        F(38), F(39), G(40), G(41), G(42), G(43), G(44), G(45), G(46), G(47)
#define D(c) C(c), C(c)
#define E(c) D(c), D(c)
#define F(c) E(c), E(c)
#define G(c) F(c), F(c)

#define C(c) c
const uint8_t vmbe_classtab[BE_TABLEMAX / 16 + 1] = {TABLE};
#undef C
#define C(c) offsetof(vmbe_lane_t, cur) + (c) * sizeof(vmbe_cursor_t)
const uint16_t vmbe_cursortab[BE_TABLEMAX / 16 + 1] = {TABLE};
#undef C

/* The eight classes that begin with 16 * j * 2^k, in steps of 16 * 2^k. */
#define EIGHT(j, k)                                                                               \
    S(j, k), S(j + 1, k), S(j + 2, k), S(j + 3, k), S(j + 4, k), S(j + 5, k), S(j + 6, k), S(j + 7, k)
#define CLASSES                                                                                   \
    EIGHT(1, 0), EIGHT(9, 0), EIGHT(9, 1), EIGHT(9, 2), EIGHT(9, 3), EIGHT(9, 4), EIGHT(9, 5),    \
        EIGHT(9, 6), EIGHT(9, 7)

#define S(j, k) 16 * (j) << (k)
const uint16_t vmbe_classbytes[BE_CLASSES] = {CLASSES};
#undef S
#define S(j, k) (uint32_t)(((UINT64_C(1) << 32) + (16 * (j) << (k)) - 1) / (16 * (j) << (k)))
const uint32_t vmbe_classrecip[BE_CLASSES] = {CLASSES};
#undef S

unsigned vmbe_class_leastpages(unsigned cls)
{
    size_t size = vmbe_class_size(cls);
    unsigned n, most = vmbe_class_pages(cls);
    for (n = 1; n < most; n++) {
        size_t blocks = n * (size_t)BE_PAGE / size;
        if (blocks > 64)
            blocks &= ~(size_t)63;
        if (blocks > 0 && n * (size_t)BE_PAGE - blocks * size <= n * (size_t)BE_PAGE / 8)
            break;
    }
    return n;
}

unsigned vmbe_class_pageswithin(unsigned cls, size_t pages)
{
    unsigned n = vmbe_class_j(cls), most = vmbe_class_pages(cls);
    if (pages / 64 < n)
        return vmbe_class_leastpages(cls);
    while (2 * n <= most && 2 * n <= pages / 64)
        n *= 2;
    return n;
}
