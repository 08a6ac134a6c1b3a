/* SPDX-License-Identifier: MIT */
/*
 * Locks between processes, the slow half, where nothing but POSIX is there: as os_robust_linux.c has
 * it, but who waits sleeps for ever longer moments of at most a millisecond, and is woken by none.
 */
#include "os_spin.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

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

VMOS_COLD int vmos_robust_slow(vmos_lock_t *lk, uint32_t me, vmos_alive_f alivef, void *arg)
{
    int keep = errno;
    long ns = 1000;
    __atomic_fetch_add(&lk->wait, 1, __ATOMIC_RELAXED);
    for (;;) {
        uint32_t word = __atomic_load_n(&lk->word, __ATOMIC_RELAXED);
        int dead = word != 0 && !alivef(arg, word & ~VMOS_WAITED);
        if ((word == 0 || dead) && __atomic_compare_exchange_n(&lk->word, &word, me, 0,
                                                               __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            errno = keep;
            return dead;
        }
        sleepfor(ns);
        ns = ns < LONGEST / 2 ? ns * 2 : LONGEST;
    }
}

VMOS_COLD void vmos_robust_wake(vmos_lock_t *lk)
{
    (void)lk;
}
