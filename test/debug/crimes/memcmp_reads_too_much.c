/* SPDX-License-Identifier: MIT */
/* both: read past the end: .* a block of 64 bytes */
#include "_crime.h"

void crime(int right)
{
    static char same[128];
    char *p = block(64);
    memset(p, 0, 64);
    if (memcmp((char *)hide(p), same, number(right ? 64 : 128)) == 7)
        exit(1);
    free(p);
}
