/* SPDX-License-Identifier: MIT */
/* both: operator delete(0x[0-9a-f]*): wrong alignment */
#include "_crime.h"
#include <new>

void crime(int right)
{
    void *p = operator new(number(40), std::align_val_t(64));
    if (right)
        operator delete(p, std::align_val_t(64));
    else
        operator delete(hide(p));
}
