/* SPDX-License-Identifier: MIT */
/* both: use after free: read, at offset 20000000 of a freed block of 50000000 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(50000000);
    put(p, 20000000);
    free(p);
    if (!right)
        get(p, 20000000);
}
