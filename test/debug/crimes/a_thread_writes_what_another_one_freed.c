/* SPDX-License-Identifier: MIT */
/* fence: use after free: write of 1 byte, at offset 5 of a freed block of 30 bytes */
/* guard: use after free: write, at offset 5 of a freed block of 30 bytes */
#include "_crime.h"

static void *writer(void *p)
{
    put(p, 5);
    return NULL;
}

void crime(int right)
{
    char *p = block(30);
    if (right)
        inthread(writer, p);
    free(p);
    if (!right)
        inthread(writer, p);
}
