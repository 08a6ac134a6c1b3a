/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): not a block: stack of another thread */
#include "_crime.h"

static void *release(void *p)
{
    free(p);
    return NULL;
}

static void *share(void *wrong)
{
    char local[64];
    free(block(1));
    inthread(release, wrong != NULL ? hide(local + 16) : NULL);
    return NULL;
}

void crime(int right)
{
    inthread(share, right ? NULL : hide(&crime));
}
