/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): double free: block of 8 bytes */
#include "_crime.h"

static char *victim;
static int twice;

static int compare(const void *x, const void *y)
{
    if (twice-- > 0)
        free(victim);
    return *(const int *)x - *(const int *)y;
}

void crime(int right)
{
    int a[] = {3, 1, 2};
    victim = block(8);
    twice = right ? 0 : 2;
    qsort(a, 3, sizeof *a, compare);
    if (right)
        free(victim);
}
