/* SPDX-License-Identifier: MIT */
/* fence: wprintf(): read past the end: 4 bytes, 0 bytes behind a block of 12 bytes */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    wchar_t *p = (wchar_t *)(void *)block(3 * sizeof(wchar_t));
    wmemcpy(p, right ? L"ab" : L"abc", 3);
    wprintf(L"%f %ls\n", 1.5, p);
    free(p);
}
