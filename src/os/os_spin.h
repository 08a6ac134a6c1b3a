/* SPDX-License-Identifier: MIT */
/*
 * For the files of os alone: how to wait a few cycles.
 */
#ifndef VM_OS_SPIN_H
#define VM_OS_SPIN_H 1

#include "os.h"

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

#endif
