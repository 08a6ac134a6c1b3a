/* SPDX-License-Identifier: MIT */
/*
 * Processors that run, as it was at the first question.
 */
#define _DEFAULT_SOURCE 1
#define _DARWIN_C_SOURCE 1
#include "os.h"

#include <errno.h>
#include <unistd.h>

int vmos_cpus(void)
{
    static int known;
    int n = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (VMOS_UNLIKELY(n == 0)) {
        int keep = errno;
        long asked = sysconf(_SC_NPROCESSORS_ONLN);
        n = asked > 0 ? (int)asked : 1;
        errno = keep;
        __atomic_store_n(&known, n, __ATOMIC_RELAXED);
    }
    return n;
}
