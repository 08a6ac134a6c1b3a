/* SPDX-License-Identifier: MIT */
/* class: tables of the size classes; class.h has the rule, test/method/best_class.c compares. */
#include "best.h"

const uint8_t vmbe_classtab[BE_TABLEMAX / 16 + 1] = {
    0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 16, 17, 17, 18, 18, 19, 19, 20, 20, 21, 21, 22, 22, 23,
    23, 24, 24, 24, 24, 25, 25, 25, 25, 26, 26, 26, 26, 27, 27, 27,
    27, 28, 28, 28, 28, 29, 29, 29, 29, 30, 30, 30, 30, 31, 31, 31,
    31};

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
