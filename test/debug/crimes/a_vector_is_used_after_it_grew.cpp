/* SPDX-License-Identifier: MIT */
/* fence: use after free: write of .* of a freed block of 40 bytes */
/* guard: use after free: write, at offset 0 of a freed block of 40 bytes */
#include "_crime.h"
#include <vector>

void crime(int right)
{
    std::vector<int> v(10);
    volatile int *p = &v[0];
    v.resize(1000);
    if (right)
        p = &v[0];
    *p = 0x01010101;
}
