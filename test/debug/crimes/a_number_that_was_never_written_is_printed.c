/* SPDX-License-Identifier: MIT */
/* both: printf(): value 2 of its format was never written */
#include "_crime.h"

void crime(int right)
{
    int *p = (int *)(void *)block(10 * sizeof *p);
    p[0] = 1;
    if (right)
        p[4] = 2;
    printf("%d %d\n", p[0], p[4]);
    free(p);
}
