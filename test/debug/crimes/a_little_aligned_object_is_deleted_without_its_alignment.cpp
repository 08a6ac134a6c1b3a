/* SPDX-License-Identifier: MIT */
/* both: operator delete(0x[0-9a-f]*): wrong alignment: 0 given */
#include "_crime.h"
#include <new>

void crime(int right)
{
    void *p = hide(::operator new(40, std::align_val_t(8)));
    if (right)
        ::operator delete(p, std::align_val_t(8));
    else
        ::operator delete(p);
}
