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

static void sleepon(uint32_t *word, uint32_t value)
{
    futex(word, WAIT, value);
}

VMOS_COLD void vmos_lock_slow(vmos_lock_t *lk)
{
    vmos_lock_wait(lk, sleepon);
}

/* The word was set free before; the lock itself may be gone by now, and a wake-up for an address
 * that nobody sleeps on does nothing. */
VMOS_COLD void vmos_unlock_slow(vmos_lock_t *lk)
{
    futex(&lk->word, WAKE, 1);
}
