/* SPDX-License-Identifier: MIT */
/* both: leak: 1 block of 90 bytes lost */
#include "_crime.h"

static void *forgetful(void *right)
{
    char *p = block(90);
    put(p, 0);
    if (right != NULL)
        free(p);
    return NULL;
}

void crime(int right)
{
    inthread(forgetful, right ? hide(&crime) : NULL);
}
