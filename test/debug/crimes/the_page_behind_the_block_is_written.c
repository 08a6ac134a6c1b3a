/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 0 bytes behind a block of 64 bytes, found by free() */
/* guard: write past the end: 0 bytes behind a block of 64 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(64);
    put(p, right ? 63 : 64);
    free(p);
}
