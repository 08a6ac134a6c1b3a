/* SPDX-License-Identifier: MIT */
/* both: use after free: read, at offset 2000000 of a freed block of 3000000 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(3000000);
    if (right)
        p[2000000] = 1;
    free(p);
    if (!right)
        get(p, 2000000);
}
