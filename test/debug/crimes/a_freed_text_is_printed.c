/* SPDX-License-Identifier: MIT */
/* fence: printf(): use after free: read of 1 byte, at offset 0 of a freed block of 100 bytes */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    char *p = block(100);
    strcpy(p, "text");
    if (!right)
        free(p);
    printf("%d %5s %.*s %%\n", 1, "other", 3, p);
    if (right)
        free(p);
}
