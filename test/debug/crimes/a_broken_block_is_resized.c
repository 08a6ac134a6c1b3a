/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 0 bytes behind a block of 20 bytes, found by realloc() */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    char *p = block(20);
    put(p, right ? 19 : 20);
    free(realloc(p, 50));
}
