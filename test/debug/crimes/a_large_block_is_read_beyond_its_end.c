/* SPDX-License-Identifier: MIT */
/* guard: read past the end: 100 bytes behind a block of 200000 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(200000);
    memset(p, 1, 200000);
    get(p, right ? 199999 : 200100);
    free(p);
}
