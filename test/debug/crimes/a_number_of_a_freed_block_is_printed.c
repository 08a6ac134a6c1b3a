/* SPDX-License-Identifier: MIT */
/* fence: printf(): use after free: value 1 of its format comes from a freed block */
/* guard: use after free: read, at offset 16 of a freed block of 40 bytes */
#include "_crime.h"

void crime(int right)
{
    int *p = (int *)(void *)block(40);
    p[4] = 1;
    if (right)
        printf("%d\n", p[4]);
    free(p);
    if (!right)
        printf("%d\n", p[4]);
}
