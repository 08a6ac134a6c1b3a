/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 5 bytes behind a block of 25 bytes, found by free() */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    char *p = block(25);
    put(p, right ? 24 : 30);
    free(p);
}
