/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 4 bytes, 0 bytes behind a block of 20 bytes */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    wchar_t *p = (wchar_t *)(void *)block(5 * sizeof(wchar_t));
    wcscpy(p, (wchar_t *)hide((void *)(right ? L"four" : L"five-")));
    free(p);
}
