/* SPDX-License-Identifier: MIT */
/* both: operator delete(0x[0-9a-f]*): double free: block of 40 bytes */
#include "_crime.h"

void crime(int right)
{
    void *p = operator new(number(40)), *q = hide(p);
    operator delete(p);
    if (!right)
        operator delete(hide(q));
}
