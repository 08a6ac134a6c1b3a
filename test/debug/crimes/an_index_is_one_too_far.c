/* SPDX-License-Identifier: MIT */
/* fence: write past the end: [1-4] bytes*, 0 bytes behind a block of 40 bytes */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    int *a = (int *)(void *)block(10 * sizeof(int));
    for (int i = 0; i < (right ? 10 : 11); i++)
        ((volatile int *)a)[i] = 0x01010101;
    free(a);
}
