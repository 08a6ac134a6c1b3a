/* SPDX-License-Identifier: MIT */
/* both: operator delete\[\](0x[0-9a-f]*): wrong family: block of 40 bytes comes from new, which is given back by delete */
#include "_crime.h"

void crime(int right)
{
    void *p = operator new(number(40));
    if (right)
        operator delete(p);
    else
        operator delete[](hide(p));
}
