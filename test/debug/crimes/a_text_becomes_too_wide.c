/* SPDX-License-Identifier: MIT */
/* both: mbstowcs(): write past the end: 8 bytes, 0 bytes behind a block of 16 bytes */
#include "_crime.h"

void crime(int right)
{
    wchar_t *p = (wchar_t *)(void *)block(4 * sizeof *p);
    if (mbstowcs((wchar_t *)hide(p), right ? "abc" : "abcde", 10) < 3)
        exit(1);
    free(p);
}
