/* SPDX-License-Identifier: MIT */
/* fence: snprintf(): write past the end: 1 byte, 0 bytes behind a block of 8 bytes */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    char *p = block(8);
    snprintf(p, number(100), "%s%d", right ? "text" : "text-", 123);
    free(p);
}
