/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 4 bytes, 0 bytes behind a block of 16 bytes, found by puts() */
/* guard: write past the end: 0 bytes behind a block of 16 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(16);
    p[15] = 0;
    for (long i = 0; i < (right ? 15 : 20); i++)
        put(p, i);
    puts(p);
    free(p);
}
