/* SPDX-License-Identifier: MIT */
/*
 * How long files may get (`ulimit -f`, RLIMIT_FSIZE).
 *
 * Unix tells a process that goes beyond with SIGXFSZ, which ends it, and only those that ignore the signal
 * get EFBIG.  Here it is asked for before, so that an image which has no more room fails as on a full disk.
 * Cost: a system call, for each that writes to them or makes them longer.
 */
#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include "os_disk.h"

#include <errno.h>
#include <sys/resource.h>

int vmos_disk_fits(uint64_t end)
{
    int keep = errno;
    struct rlimit r;
    if (getrlimit(RLIMIT_FSIZE, &r) != 0 || r.rlim_cur == RLIM_INFINITY || end <= (uint64_t)r.rlim_cur) {
        errno = keep;
        return 1;
    }
    errno = EFBIG;
    return 0;
}
