/* SPDX-License-Identifier: MIT */
/* fence: write before the start: [1-4] bytes*, [1-4] bytes* before a block of 40 bytes */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    int *a = (int *)(void *)block(10 * sizeof(int));
    for (int i = 9; i >= (right ? 0 : -1); i--)
        ((volatile int *)a)[i] = 0x01010101;
    free(a);
}
