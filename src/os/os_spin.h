/* SPDX-License-Identifier: MIT */
/*
 * For the files of os alone: how to wait a few cycles, and for a lock.
 */
#ifndef VM_OS_SPIN_H
#define VM_OS_SPIN_H 1

#include "os.h"
#include "os_probe.h"

#define VMOS_SPINS 60 /* looks at a held lock before the system is asked; about 2 us */

VMOS_INLINE void vmos_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("yield");
#else
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
#endif
}

/* Spin until the lock can be taken: 0 taken, -1 it takes long. */
VMOS_INLINE int vmos_spin(vmos_lock_t *lk)
{
    for (int i = 0; i < VMOS_SPINS; i++) {
        if (!vmos_locked(lk) && vmos_trylock(lk) == 0)
            return 0;
        vmos_pause();
    }
    return -1;
}

/* Sleep while *word is value, or for no reason less; keeps errno. */
typedef void (*vmos_sleep_f)(uint32_t *word, uint32_t value);

/* vmos_lock_slow() where a thread can sleep until a word changes: os_lock_linux.c draws the word. */
VMOS_INLINE void vmos_lock_wait(vmos_lock_t *lk, vmos_sleep_f sleepf)
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
        (*sleepf)(&lk->word, want);
    }
}

#endif
