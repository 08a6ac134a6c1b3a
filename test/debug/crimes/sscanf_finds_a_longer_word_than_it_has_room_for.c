/* SPDX-License-Identifier: MIT */
/* fence: sscanf(): write past the end: 3 bytes, 0 bytes behind a block of 8 bytes */
/* guard: write past the end:.* 0 bytes behind a block of 8 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(8), *q = block(5);
    int n;
    if (sscanf("12 longer-set 34:four-five", right ? "%d %7s" : "%d %10s", &n, p) != 2)
        exit(1);
    if (sscanf("34:four", "%d:%4[a-z]%n", &n, q, &n) != 2)
        exit(1);
    free(p);
    free(q);
}
