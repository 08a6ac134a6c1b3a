/* SPDX-License-Identifier: MIT */
/* guard: use after free: read, at offset 0 of a freed block of 100 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(100);
    p[0] = 1;
    if (right)
        get(p, 0);
    free(p);
    if (!right)
        get(p, 0);
}
