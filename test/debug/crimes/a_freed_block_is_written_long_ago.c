/* SPDX-License-Identifier: MIT */
/* fence: use after free: write of 1 byte, at offset 99 of a freed block of 100 bytes, found by the check of what was freed */
/* guard: use after free: write, at offset 99 of a freed block of 100 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(100);
    free(p);
    if (!right)
        put(p, 99);
    for (int i = 0; i < 70000; i++)
        free(block(16));
}
