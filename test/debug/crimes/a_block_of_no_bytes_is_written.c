/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 0 bytes behind a block of 0 bytes */
/* guard: write past the end: 0 bytes behind a block of 0 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(0);
    if (!right)
        put(p, 0);
    free(p);
}
