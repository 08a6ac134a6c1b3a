/* SPDX-License-Identifier: MIT */
/* both: puts(): its text was never written */
#include "_crime.h"

void crime(int right)
{
    char *p = block(100);
    if (right)
        strcpy(p, "a text");
    p[99] = 0;
    puts(p);
    free(p);
}
