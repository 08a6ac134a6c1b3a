/* SPDX-License-Identifier: MIT */
/* both: operator delete(0x[0-9a-f]*): wrong size: 24 given, the block has 40 bytes */
#include "_crime.h"

void crime(int right)
{
    void *p = operator new(number(40));
    operator delete(hide(p), number(right ? 40 : 24));
}
