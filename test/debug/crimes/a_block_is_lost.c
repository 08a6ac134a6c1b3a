/* SPDX-License-Identifier: MIT */
/* both: leak: 1 block of 50 bytes lost: nothing leads to it */
#include "_crime.h"

void crime(int right)
{
    char *p = block(50);
    p[0] = 1;
    if (right)
        free(p);
}
