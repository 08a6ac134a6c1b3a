/* SPDX-License-Identifier: MIT */
/* fence: fprintf(): read past the end: 1 byte, 0 bytes behind a block of 5 bytes */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    char *p = block(5);
    memcpy(p, "hello", 5);
    if (right)
        fprintf(stdout, "%ld %.5s %.*s\n", 7L, p, 5, p);
    else
        fprintf(stdout, "%ld %Lf %s\n", 7L, (long double)1, p);
    free(p);
}
