/* SPDX-License-Identifier: MIT */
/* both: wcstombs(): read past the end: 4 bytes, 0 bytes behind a block of 16 bytes */
#include "_crime.h"

/* What fills its room needs no end. */
void crime(int right)
{
    static const wchar_t text[4] = {L'a', L'b', L'c', L'd'};
    char *narrow = block(4), to[8];
    wchar_t *p = (wchar_t *)(void *)block(sizeof text), wide[8];
    memcpy(p, text, sizeof text);
    memcpy(narrow, "abcd", 4);
    if (mbstowcs((wchar_t *)hide(wide), narrow, number(4)) != 4)
        exit(1);
    if (wcstombs((char *)hide(to), p, number(right ? 4 : 8)) < 4)
        exit(1);
    free(narrow);
    free(p);
}
