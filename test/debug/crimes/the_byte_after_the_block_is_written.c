/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 0 bytes behind a block of 24 bytes, found by free() */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    char *p = block(24);
    put(p, right ? 23 : 24);
    free(p);
}
