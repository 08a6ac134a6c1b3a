/* SPDX-License-Identifier: MIT */
/* fence: use after free: write of 1 byte, at offset 10 of a freed block of 100 bytes, found by the check at the end */
/* guard: use after free: write, at offset 10 of a freed block of 100 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(100);
    if (right)
        put(p, 10);
    free(p);
    if (!right)
        put(p, 10);
}
