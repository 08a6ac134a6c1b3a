/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 0 bytes behind a block of 50 bytes, found by free() */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    char *p = (char *)hide(realloc(block(20), 50));
    put(p, right ? 49 : 50);
    free(p);
}
