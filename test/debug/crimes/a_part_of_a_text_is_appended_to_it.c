/* SPDX-License-Identifier: MIT */
/* both: strncat(): copy between ranges that overlap, 9 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(32), *q = strdup("ell");
    strcpy(p, "hello");
    strncat(p, p + 1, number(0)); /* nothing is copied */
    strncat(p, right ? q : p + 1, number(3));
    free(p);
    free(q);
}
