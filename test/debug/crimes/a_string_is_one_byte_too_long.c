/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 0 bytes behind a block of 10 bytes */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    char *p = block(10);
    strcpy(p, (char *)hide((void *)(right ? "ninechars" : "ten--chars")));
    free(p);
}
