/* SPDX-License-Identifier: MIT */
/*
 * Locks, the slow half, where nothing but POSIX is there: spin, then let others run, then sleep
 * for ever longer moments of at most a millisecond.
 *
 * Invariant: word is 0 or 1, never 2, for nobody can be woken; vmos_unlock_slow() is not reached.
 * Not fair.  Cost: two atomic exchanges when free; a thread that waits may notice a millisecond
 * late that it need not.
 */
#include "os_probe.h"
#include "os_spin.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#define YIELDS 20
#define LONGEST 1000000L /* ns */

/* nanosleep() is a cancellation point, an allocation is none. */
static void sleepfor(long ns)
{
    struct timespec t = {0, ns};
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    nanosleep(&t, NULL);
    pthread_setcancelstate(state, &state);
}

VMOS_COLD void vmos_lock_slow(vmos_lock_t *lk)
{
    int keep = errno;
    long ns = 1000;
    VMOS_PROBE1(wait, lk);
    __atomic_fetch_add(&lk->wait, 1, __ATOMIC_RELAXED);
    if (vmos_cpus() > 1 && vmos_spin(lk) == 0)
        return;
    for (int i = 0; vmos_spin(lk) != 0; i++) {
        if (i < YIELDS) {
            sched_yield();
            continue;
        }
        sleepfor(ns);
        ns = ns < LONGEST / 2 ? ns * 2 : LONGEST;
    }
    errno = keep;
}

VMOS_COLD void vmos_unlock_slow(vmos_lock_t *lk)
{
    (void)lk;
}
