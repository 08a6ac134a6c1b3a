/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 0 bytes behind a block of 200000 bytes */
/* guard: write past the end: 0 bytes behind a block of 200000 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(200000);
    put(p, right ? 199999 : 200000);
    free(p);
}
