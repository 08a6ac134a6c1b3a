/* SPDX-License-Identifier: MIT */
/* A shared library in which crimes are committed. */
#include <stdlib.h>

void library_frees(char *p, int times);
void library_writes(char *p, long offset);

void library_frees(char *p, int times)
{
    char *volatile q = p;
    while (times-- > 0)
        free(q);
}

void library_writes(char *p, long offset)
{
    ((volatile char *)p)[offset] = 1;
}
