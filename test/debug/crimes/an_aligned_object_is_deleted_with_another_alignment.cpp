/* SPDX-License-Identifier: MIT */
/* fence: wrong alignment: 128 given, 64 when it was allocated */
/* guard: same */
#include "_crime.h"
#include <new>

void crime(int right)
{
    void *p = ::operator new(100, std::align_val_t(64));
    ::operator delete(hide(p), std::align_val_t(right ? 64 : 128));
}
