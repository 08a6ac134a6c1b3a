/* SPDX-License-Identifier: MIT */
/* both 139: access at .*a value that was never written, used as an address\|.*never written */
#include "_crime.h"

void crime(int right)
{
    char **p = (char **)(void *)block(64);
    if (right)
        *p = (char *)p;
    get(*(char *volatile *)p, 0);
    free(p);
}
