/* SPDX-License-Identifier: MIT */
/* fence: write before the start: 1 byte, 1 byte before a block of 100000 bytes */
/* guard: same */
/* below: write before the start: 1 byte before a block of 100000 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(100000);
    put(p, right ? 0 : -1);
    free(p);
}
