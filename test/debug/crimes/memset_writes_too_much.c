/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 8 bytes, 0 bytes behind a block of 100 bytes */
/* guard: same\|write past the end: .* a block of 100 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(100);
    memset(p, 0, number(right ? 100 : 108));
    free(p);
}
