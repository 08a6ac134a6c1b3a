/* SPDX-License-Identifier: MIT */
/* both: read past the end: .* a block of 16 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(16);
    memset(p, 'x', 16);
    if (right)
        p[15] = 0;
    if (strlen((char *)hide(p)) < 15)
        exit(1);
    free(p);
}
