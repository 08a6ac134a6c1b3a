/* SPDX-License-Identifier: MIT */
/* both: leak: 1 block of 40 bytes lost */
#include "_crime.h"

void crime(int right)
{
    int *p = new int[10]();
    p = (int *)hide(p);
    p[0] = 1;
    if (right)
        delete[] p;
}
