/* SPDX-License-Identifier: MIT */
/* both: leak: 1 block of 90 bytes lost */
#include "_crime.h"

static volatile int ready, careful;

/* It is there to the end; its stack has the only pointer to a block, and beside it is a stack for signals. */
static void *waiting(void *arg)
{
    stack_t other = {0};
    char *volatile kept = block(70);
    char *volatile lost = block(90);
    other.ss_size = 65536;
    other.ss_sp = hide(malloc(other.ss_size));
    sigaltstack(&other, NULL);
    put(kept, 0);
    if (!careful)
        lost = kept;
    for (ready = 1;;)
        pause();
    return put(lost, 0), arg;
}

void crime(int right)
{
    pthread_t thread;
    careful = right;
    pthread_create(&thread, NULL, waiting, NULL);
    while (!ready)
        usleep(1000);
}
