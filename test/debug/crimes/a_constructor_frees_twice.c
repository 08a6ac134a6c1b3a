/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): double free: block of 50 bytes */
#include "_crime.h"

/* Without an argument; main() has not begun. */
__attribute__((constructor)) static void early(int argc, char **argv)
{
    char *p = block(50);
    (void)argv;
    free(p);
    if (argc == 1)
        free(hide(p));
}

void crime(int right)
{
    if (right)
        return;
    exit(0);
}
