/* SPDX-License-Identifier: MIT */
/* fence: sscanf(): write past the end: 4 bytes, 0 bytes behind a block of 12 bytes */
/* guard: write past the end:.* behind a block of 12 bytes */
#include "_crime.h"

void crime(int right)
{
    const char *volatile format = right ? "%d %f" : "%d %lf";
    char *p = block(12);
    if (sscanf("1 2.5", format, (int *)(void *)p, hide(p + 8)) != 2)
        exit(1);
    free(p);
}
