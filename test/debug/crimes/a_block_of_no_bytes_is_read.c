/* SPDX-License-Identifier: MIT */
/* guard: read past the end: 0 bytes behind a block of 0 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(0);
    if (!right)
        get(p, 0);
    free(p);
}
