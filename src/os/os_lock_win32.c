/* SPDX-License-Identifier: MIT */
/*
 * Locks, the slow half, on WaitOnAddress() (Windows 8): as os_lock_linux.c has it, which draws the word.
 *
 * Invariant: a thread sleeps only while WAITED is set; one that had to wait takes the lock with it,
 * because it cannot know whether others still sleep.  Cost: two atomic exchanges when free; at worst one
 * system call on either side.
 */
#include "os_spin.h"

#include <errno.h>
#include <windows.h>

static void sleepon(uint32_t *word, uint32_t value)
{
    WaitOnAddress(word, &value, sizeof(value), INFINITE);
}

VMOS_COLD void vmos_lock_slow(vmos_lock_t *lk)
{
    vmos_lock_wait(lk, sleepon);
}

/* The word was set free before; the lock itself may be gone by now, and a wake-up for an address
 * that nobody sleeps on does nothing. */
VMOS_COLD void vmos_unlock_slow(vmos_lock_t *lk)
{
    WakeByAddressSingle(&lk->word);
}

/* ---- between processes ---- */

#define LONGEST 16 /* ms */

/* WaitOnAddress() is for one process: who waits sleeps for ever longer moments, and is woken by none. */
VMOS_COLD int vmos_robust_slow(vmos_lock_t *lk, uint32_t me, vmos_alive_f alivef, void *arg)
{
    DWORD ms = 0;
    __atomic_fetch_add(&lk->wait, 1, __ATOMIC_RELAXED);
    for (;;) {
        uint32_t word = __atomic_load_n(&lk->word, __ATOMIC_RELAXED);
        int dead = word != 0 && !alivef(arg, word & ~VMOS_WAITED);
        if ((word == 0 || dead) && __atomic_compare_exchange_n(&lk->word, &word, me, 0,
                                                               __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return dead;
        Sleep(ms);
        ms = ms < LONGEST / 2 ? ms * 2 + 1 : LONGEST;
    }
}

VMOS_COLD void vmos_robust_wake(vmos_lock_t *lk)
{
    (void)lk;
}
