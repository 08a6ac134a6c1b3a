/* SPDX-License-Identifier: MIT */
/* fence: strncmp(): use after free: read of 1 byte, at offset 0 of a freed block of 4 bytes */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    char *p = block(4);
    strcpy(p, "abc");
    if (!right)
        free(p);
    if (strncmp((char *)hide((void *)"abcd"), p, number(3)) == 7)
        abort();
    if (right)
        free(p);
}
