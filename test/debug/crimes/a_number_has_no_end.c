/* SPDX-License-Identifier: MIT */
/* fence: strtol(): read past the end: 1 byte, 0 bytes behind a block of 4 bytes */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    char *p = block(4);
    memcpy(p, right ? "123" : "1234", 4);
    if (strtol(p, NULL, 10) == 0)
        abort();
    free(p);
}
