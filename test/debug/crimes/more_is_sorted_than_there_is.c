/* SPDX-License-Identifier: MIT */
/* both: qsort(): write past the end: 4 bytes, 0 bytes behind a block of 40 bytes */
#include "_crime.h"

static int order(const void *a, const void *b)
{
    return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

void crime(int right)
{
    int *p = (int *)(void *)block(10 * sizeof *p);
    for (int i = 0; i < 10; i++)
        p[i] = 10 - i;
    qsort(hide(p), number(right ? 10 : 11), sizeof *p, order);
    free(p);
}
