/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): double free: block of 50 bytes */
#include "_crime.h"

static char *victim;
static int times;

static void handler(int sig)
{
    (void)sig;
    while (times-- > 0)
        free(hide(victim));
}

void crime(int right)
{
    victim = block(50);
    times = right ? 1 : 2;
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
}
