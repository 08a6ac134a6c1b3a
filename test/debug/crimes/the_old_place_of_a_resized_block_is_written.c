/* SPDX-License-Identifier: MIT */
/* fence: use after free: write of 1 byte, at offset 3 of a freed block of 40 bytes */
/* guard: use after free: write, at offset 3 of a freed block of 40 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(40), *q = (char *)hide(realloc(p, 4000));
    put(right ? q : p, 3);
    free(q);
}
