/* SPDX-License-Identifier: MIT */
/*
 * Processors that the process may use, as it was at the first question.
 */
#define _GNU_SOURCE 1
#include "os.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static int count(void)
{
    unsigned long mask[128]; /* for 8192 processors, which is what Linux can have */
    int keep = errno, sum = 0;
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
    for (long i = 0; i < bytes / (long)sizeof(*mask); i++)
        sum += __builtin_popcountl(mask[i]);
    errno = keep;
    return sum > 0 ? sum : 1;
}

int vmos_cpus(void)
{
    static int known;
    int n = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (VMOS_UNLIKELY(n == 0)) {
        n = count();
        __atomic_store_n(&known, n, __ATOMIC_RELAXED);
    }
    return n;
}
