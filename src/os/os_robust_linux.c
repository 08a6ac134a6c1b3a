/* SPDX-License-Identifier: MIT */
/*
 * Locks between processes, the slow half, on futexes that are not private to a process.
 *
 *   word  0            free      lock: 0 -> me by the caller, without a call
 *         who          held      unlock: -> 0, without a call
 *         who | WAITED held, and some process may sleep: unlock wakes one
 *
 * Nothing but the word is shared: no list of waiters or owners that a death could leave torn, no
 * pthread object whose layout would be part of a file.  Who dies with the lock is found by those who
 * want it: they ask whether the holder lives before they sleep and each time they wake, which is
 * after some milliseconds at the latest.  By that a lost wake-up (of a process that dies between
 * waking and taking) costs these milliseconds and no more.  Taking from the dead is one
 * compare-and-swap of the very word that was seen, so one of several comers gets it.
 *
 * The kernel's own list of robust futexes would tell at once, but belongs to the C library; and a
 * number that the next boot gives to another process would not do in a file.
 */
#define _GNU_SOURCE 1
#include "os_spin.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Of <linux/futex.h>, without FUTEX_PRIVATE_FLAG. */
#define WAIT 0
#define WAKE 1
#define SHORTEST 1000000L /* ns */
#define LONGEST 16000000L

static void futex(uint32_t *word, int op, uint32_t value, const struct timespec *limit)
{
    int keep = errno;
    syscall(SYS_futex, word, op, value, limit, NULL, 0);
    errno = keep;
}

/* Take it if it is free: 0. */
static int take(vmos_lock_t *lk, uint32_t me)
{
    uint32_t zero = 0;
    return __atomic_compare_exchange_n(&lk->word, &zero, me, 0, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED)
               ? 0
               : -1;
}

static int spin(vmos_lock_t *lk, uint32_t me)
{
    for (int i = 0; i < VMOS_SPINS; i++) {
        if (!vmos_locked(lk) && take(lk, me) == 0)
            return 0;
        vmos_pause();
    }
    return -1;
}

VMOS_COLD int vmos_robust_slow(vmos_lock_t *lk, uint32_t me, vmos_alive_f alivef, void *arg)
{
    struct timespec limit = {0, SHORTEST};
    __atomic_fetch_add(&lk->wait, 1, __ATOMIC_RELAXED);
    if (vmos_cpus() > 1 && spin(lk, me) == 0)
        return 0;
    for (;;) {
        uint32_t word = __atomic_load_n(&lk->word, __ATOMIC_RELAXED);
        int dead = word != 0 && !alivef(arg, word & ~VMOS_WAITED);
        uint32_t want = (word == 0 || dead ? me : word) | VMOS_WAITED;
        if (word != want && !__atomic_compare_exchange_n(&lk->word, &word, want, 0,
                                                         __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            continue;
        if (word == 0 || dead)
            return dead;
        futex(&lk->word, WAIT, want, &limit);
        limit.tv_nsec = limit.tv_nsec < LONGEST / 2 ? limit.tv_nsec * 2 : LONGEST;
    }
}

VMOS_COLD void vmos_robust_wake(vmos_lock_t *lk)
{
    futex(&lk->word, WAKE, 1, NULL);
}
