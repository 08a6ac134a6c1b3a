/* SPDX-License-Identifier: MIT */
/* below: read before the start: 1 byte before a block of 32 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(32);
    p[0] = 1;
    get(p, right ? 0 : -1);
    free(p);
}
