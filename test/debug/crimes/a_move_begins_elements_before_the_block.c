/* SPDX-License-Identifier: MIT */
/* both: memmove(): read before the start: 32 bytes, 32 bytes before a block of 400 bytes */
#include "_crime.h"

void crime(int right)
{
    wchar_t *p = (wchar_t *)(void *)block(100 * sizeof *p);
    wchar_t to[50];
    wmemset(p, L'x', 100);
    memmove(to, (wchar_t *)hide(p) - (right ? 0 : 8), sizeof to);
    free(p);
}
