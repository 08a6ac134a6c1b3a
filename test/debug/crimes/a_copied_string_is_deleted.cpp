/* SPDX-License-Identifier: MIT */
/* both: operator delete(0x[0-9a-f]*): wrong family: block of 6 bytes comes from malloc */
#include "_crime.h"

void crime(int right)
{
    char *p = (char *)hide(strdup("hello"));
    if (right)
        free(p);
    else
        operator delete(p);
}
