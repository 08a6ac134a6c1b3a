/* SPDX-License-Identifier: MIT */
/* fence: use after free: write of 1 byte, at offset 20 of a freed block of 3000000 bytes, found by the check at the end */
/* guard: use after free: write, at offset 20 of a freed block of 3000000 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = (char *)hide(aligned_alloc(64, 3000000)), *q;
    q = block(100); /* so that the first one begins in a page's middle */
    free(p);
    if (!right)
        put(p, 20);
    free(q);
}
