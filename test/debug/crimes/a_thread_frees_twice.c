/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): double free: block of 50 bytes */
#include "_crime.h"

static void *work(void *right)
{
    char *p = block(50);
    free(p);
    if (right == NULL)
        free(hide(p));
    return NULL;
}

void crime(int right)
{
    inthread(work, right ? hide(&crime) : NULL);
}
