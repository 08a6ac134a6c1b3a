/* SPDX-License-Identifier: MIT */
/*
 * A memory barrier in all threads at once: membarrier(2), private expedited, since Linux 4.14.
 *
 * It lets one side of a Dekker handshake do without a barrier of its own: the side that is taken
 * often stores its flag and loads the other's with plain instructions, and the side that is taken
 * seldom stores its flag, calls vmos_barrier(), and loads.  Afterwards either it sees the other's
 * flag, or the other sees its own (asymmetric fences; Dice, Huang and Yang, 2001).
 *
 * ThreadSanitizer knows nothing of this, so under it there is no such barrier.
 */
#define _DEFAULT_SOURCE 1
#include "os.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int state; /* 0 not asked yet, 1 there is one, -1 there is none */

#if defined(__SANITIZE_THREAD__)
#define SEEN_THROUGH 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SEEN_THROUGH 0
#endif
#endif
#ifndef SEEN_THROUGH
#define SEEN_THROUGH 1
#endif

static int membarrier(int command)
{
    return (int)syscall(SYS_membarrier, command, 0, 0);
}

int vmos_barrier_ready(void)
{
    int s = __atomic_load_n(&state, __ATOMIC_RELAXED), keep = errno;

    if (s == 0) {
        s = SEEN_THROUGH && membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0 ? 1 : -1;
        __atomic_store_n(&state, s, __ATOMIC_RELAXED);
        errno = keep;
    }
    return s > 0;
}

/* The call is a barrier in the calling thread too, before and after.  A filter that came after
 * vmos_barrier_ready() may refuse it.  A pause then does: it is a thousand times longer than a
 * store can be under way. */
void vmos_barrier(void)
{
    struct timespec ms = {0, 1000000};
    int keep = errno;

    if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 &&
        (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0 ||
         membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0))
        nanosleep(&ms, NULL);
    errno = keep;
}
