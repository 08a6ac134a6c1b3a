/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 4 bytes, 0 bytes behind a block of 12 bytes */
/* guard: same\|write past the end: .* a block of 12 bytes */
#include "_crime.h"

void crime(int right)
{
    char from[16] = {1, 2, 3}, *p = block(12);
    memcpy(p, from, number(right ? 12 : 16));
    free(p);
}
