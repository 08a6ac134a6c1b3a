/* SPDX-License-Identifier: MIT */
/* both: strtok(): read past the end: 1 byte, 0 bytes behind a block of 6 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(6);
    memcpy(p, "a,b,c,", 6);
    if (right)
        p[5] = 0;
    strtok((char *)hide(p), ",");
    free(p);
}
