/* SPDX-License-Identifier: MIT */
/* both: mbstowcs(): read past the end: 1 byte, 0 bytes behind a block of 4 bytes */
#include "_crime.h"

void crime(int right)
{
    wchar_t wide[8];
    char *p = block(4);
    memcpy(p, "abcd", 4);
    mbstowcs((wchar_t *)hide(wide), p, number(right ? 4 : 5));
    free(p);
}
