/* SPDX-License-Identifier: MIT */
/*
 * The rest, of which the rooms that are built on Windows need little: clocks, the process, its environment, output.
 */
#include "os.h"

#include <errno.h>
#include <io.h>
#include <limits.h>
#include <stdlib.h>
#include <windows.h>

uint64_t vmos_nanotime(void)
{
    LARGE_INTEGER now, second;
    uint64_t whole, rest;
    QueryPerformanceFrequency(&second);
    QueryPerformanceCounter(&now);
    whole = (uint64_t)now.QuadPart / (uint64_t)second.QuadPart;
    rest = (uint64_t)now.QuadPart % (uint64_t)second.QuadPart;
    return whole * 1000000000u + rest * 1000000000u / (uint64_t)second.QuadPart;
}

uint64_t vmos_coarsetime(void)
{
    return vmos_nanotime() / 1000000u;
}

long vmos_pid(void)
{
    return (long)GetCurrentProcessId();
}

/* There are no set-user-ID programs. */
const char *vmos_getenv(const char *name)
{
    return getenv(name);
}

/* fd is one of the C runtime that the library is linked to, as STDERR is of each. */
int vmos_write(int fd, const void *buf, size_t n)
{
    const char *p = buf;
    int keep = errno;
    while (n > 0) {
        int done = _write(fd, p, n < INT_MAX ? (unsigned)n : INT_MAX);
        if (done < 0)
            return -1;
        p += done;
        n -= (size_t)done;
    }
    errno = keep;
    return 0;
}

void vmos_abort(void)
{
    abort();
}
