/* SPDX-License-Identifier: MIT */
/* guard: read past the end: 0 bytes behind a block of 32 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(32);
    memset(p, 1, 32);
    get(p, right ? 31 : 32);
    free(p);
}
