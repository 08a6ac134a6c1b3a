/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 2 bytes behind a block of 21 bytes */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    char *p = (char *)hide(calloc(3, 7));
    put(p, right ? 20 : 23);
    free(p);
}
