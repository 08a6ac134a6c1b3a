/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 0 bytes behind a block of 100 bytes */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    char *p = (char *)hide(aligned_alloc(64, 100));
    put(p, right ? 99 : 100);
    free(p);
}
