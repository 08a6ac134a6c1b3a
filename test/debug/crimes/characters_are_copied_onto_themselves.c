/* SPDX-License-Identifier: MIT */
/* both: strncpy(): copy between ranges that overlap, 6 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(32);
    strcpy(p, "hello, hello");
    strncpy(p, right ? p + 7 : p + 2, number(6));
    free(p);
}
