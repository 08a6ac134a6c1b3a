/* SPDX-License-Identifier: MIT */
/* both: realloc(0x[0-9a-f]*): freed before: block of 50 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(50);
    if (right)
        p = (char *)hide(realloc(p, 100));
    free(p);
    if (!right && realloc(hide(p), 100) != NULL)
        exit(1);
}
