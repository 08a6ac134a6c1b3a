/* SPDX-License-Identifier: MIT */
/* both: leak: 1 block of 16 bytes lost */
#include "_crime.h"

static void **ring;

void crime(int right)
{
    ring = (void **)(void *)block(16);
    ring[0] = block(16);
    *(void **)ring[0] = ring;
    ((void **)ring[0])[1] = ring[1] = NULL;
    if (!right)
        ring = NULL;
}
