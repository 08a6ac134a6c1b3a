/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): double free: block of 60 bytes */
#include "_crime.h"

static void *release(void *p)
{
    free(p);
    return NULL;
}

void crime(int right)
{
    char *p = block(60);
    inthread(release, p);
    if (!right)
        inthread(release, p);
}
