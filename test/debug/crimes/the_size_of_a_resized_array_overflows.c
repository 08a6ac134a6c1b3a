/* SPDX-License-Identifier: MIT */
/* both: reallocarray(): size overflow: [0-9]* times 16 bytes */
#include "_crime.h"

void crime(int right)
{
    void *p = reallocarray(NULL, number(right ? 10 : SIZE_MAX / 8), number(16));
    if ((p != NULL) != right)
        exit(1);
    free(p);
}
