/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 0 bytes behind a block of 8 bytes */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    char *p = block(8);
    sprintf(p, "%ld", right ? 1234567L : 12345678L);
    free(p);
}
