/* SPDX-License-Identifier: MIT */
/* fence: write past the end: [1-4] bytes*, 0 bytes behind a block of 40 bytes, found by operator delete\[\]() */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    int *p = new int[number(10)];
    ((volatile int *)p)[number(right ? 9 : 10)] = 0x01010101;
    delete[] p;
}
