/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): double free: block of 50 bytes */
#include "_crime.h"

static int wrong;

__attribute__((destructor)) static void late(void)
{
    char *p = block(50);
    free(p);
    if (wrong)
        free(hide(p));
}

void crime(int right)
{
    wrong = !right;
}
