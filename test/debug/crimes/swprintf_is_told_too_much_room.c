/* SPDX-License-Identifier: MIT */
/* both: swprintf(): write past the end: 4 bytes, 0 bytes behind a block of 32 bytes */
#include "_crime.h"

void crime(int right)
{
    wchar_t *p = (wchar_t *)(void *)block(8 * sizeof *p);
    swprintf(p, number(100), L"%ls%d", right ? L"text" : L"text-", 123);
    free(p);
}
