/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 0 bytes behind a block of 48 bytes, .*, and bytes before its start were written, too */
/* guard: write past the end */
#include "_crime.h"

void crime(int right)
{
    char *p = block(48);
    put(p, right ? 0 : -3);
    put(p, right ? 47 : 48);
    free(p);
}
