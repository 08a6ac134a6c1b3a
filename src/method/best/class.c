/* SPDX-License-Identifier: MIT */
/* class: tables of the size classes; class.h has the rule, test/method/best_class.c compares. */
#include "best.h"

#define TABLE                                                                                     \
    C(0), C(0), C(1), C(2), C(3), C(4), C(5), C(6), C(7), C(8), C(9), C(10), C(11), C(12), C(13), \
        C(14), C(15), D(16), D(17), D(18), D(19), D(20), D(21), D(22), D(23), E(24), E(25),       \
        E(26), E(27), E(28), E(29), E(30), E(31)
#define D(c) C(c), C(c)
#define E(c) D(c), D(c)

#define C(c) c
const uint8_t vmbe_classtab[BE_TABLEMAX / 16 + 1] = {TABLE};
#undef C
#define C(c) offsetof(vmbe_lane_t, cur) + (c) * sizeof(vmbe_cursor_t)
const uint16_t vmbe_cursortab[BE_TABLEMAX / 16 + 1] = {TABLE};
#undef C

const uint16_t vmbe_classbytes[BE_CLASSES] = {
    16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192,
    208, 224, 240, 256, 288, 320, 352, 384, 416, 448, 480, 512,
    576, 640, 704, 768, 832, 896, 960, 1024, 1152, 1280, 1408, 1536,
    1664, 1792, 1920, 2048, 2304, 2560, 2816, 3072, 3328, 3584, 3840, 4096,
    4608, 5120, 5632, 6144, 6656, 7168, 7680, 8192, 9216, 10240, 11264, 12288,
    13312, 14336, 15360, 16384, 18432, 20480, 22528, 24576, 26624, 28672, 30720, 32768};

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
