/* SPDX-License-Identifier: MIT */
/* fence: write before the start: 8 bytes, 8 bytes before a block of 32 bytes */
/* guard: same\|write before the start: .* a block of 32 bytes */
#include "_crime.h"

void crime(int right)
{
    char from[32] = {1}, *p = block(32);
    memcpy(p - (right ? 0 : 8), from, number(right ? 32 : 16));
    free(p);
}
