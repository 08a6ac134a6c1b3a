/* SPDX-License-Identifier: MIT */
/*
 * Locks, the slow half, on futexes: "mutex2" of Drepper, "Futexes Are Tricky", 2011, with a short
 * spin in front where there is more than one processor.
 *
 *   word  0             free      lock: 0 -> mark by the caller, without a call
 *         mark          held      unlock: -> 0, without a call
 *         mark | WAITED held, and some thread may sleep: unlock wakes one
 *
 * Invariant: a thread sleeps only while WAITED is set; one that had to wait takes the lock with it,
 * because it cannot know whether others still sleep.  Not fair, not for memory shared between
 * processes.  Cost: two atomic exchanges when free; at worst one system call on either side.
 */
#define _GNU_SOURCE 1
#include "os_probe.h"
#include "os_spin.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of <linux/futex.h>, which is not everywhere where there is a compiler; all FUTEX_PRIVATE_FLAG. */
#define WAIT (0 | 128)
#define WAKE (1 | 128)

/* Not through libc: it has no call for this, and errno must stay. */
static void futex(uint32_t *word, int op, uint32_t value)
{
    int keep = errno;
    syscall(SYS_futex, word, op, value, NULL, NULL, 0);
    errno = keep;
}

VMOS_COLD void vmos_lock_slow(vmos_lock_t *lk)
{
    VMOS_PROBE1(wait, lk);
    __atomic_fetch_add(&lk->wait, 1, __ATOMIC_RELAXED);
    if (vmos_cpus() > 1 && vmos_spin(lk) == 0)
        return;
    for (;;) {
        uint32_t word = __atomic_load_n(&lk->word, __ATOMIC_RELAXED);
        uint32_t want = word == 0 ? vmos_mark() | VMOS_WAITED : word | VMOS_WAITED;
        if (word != want && !__atomic_compare_exchange_n(&lk->word, &word, want, 0,
                                                         __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            continue;
        if (word == 0)
            return;
        futex(&lk->word, WAIT, want);
    }
}

/* The word was set free before; the lock itself may be gone by now, and a wake-up for an address
 * that nobody sleeps on does nothing. */
VMOS_COLD void vmos_unlock_slow(vmos_lock_t *lk)
{
    futex(&lk->word, WAKE, 1);
}
