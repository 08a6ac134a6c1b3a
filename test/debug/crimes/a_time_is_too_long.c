/* SPDX-License-Identifier: MIT */
/* fence: strftime(): write past the end: 3 bytes, 0 bytes behind a block of 8 bytes */
/* guard: same */
#include "_crime.h"

#include <time.h>

void crime(int right)
{
    struct tm tm = {.tm_year = 100, .tm_mday = 1};
    char *p = block(8);
    strftime(p, number(30), right ? "%H:%M" : "%Y-%m-%d", &tm);
    free(p);
}
