/* SPDX-License-Identifier: MIT */
/* both: operator delete(0x[0-9a-f]*): wrong family: block of 40 bytes comes from malloc, which is given back by free */
#include "_crime.h"

void crime(int right)
{
    char *p = block(40);
    if (right)
        free(p);
    else
        operator delete(hide(p));
}
