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

/* In steps of a tick, some 15 ms. */
uint64_t vmos_threadtime(void)
{
    FILETIME t[4];
    if (!GetThreadTimes(GetCurrentThread(), &t[0], &t[1], &t[2], &t[3]))
        return 0;
    return 100u * ((((uint64_t)t[2].dwHighDateTime << 32) | t[2].dwLowDateTime) +
                   (((uint64_t)t[3].dwHighDateTime << 32) | t[3].dwLowDateTime));
}

uint64_t vmos_coarsetime(void)
{
    return vmos_nanotime() / 1000000u;
}

/* RtlGenRandom(), by the name that the system's library has for it. */
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG size);

uint64_t vmos_random(void)
{
    static uint64_t count;
    uint64_t x;
    if (!SystemFunction036(&x, sizeof(x)))
        x = (vmos_nanotime() ^ (uint64_t)vmos_pid() << 32) * 0x9e3779b97f4a7c15u +
            __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    return x;
}

long vmos_pid(void)
{
    return (long)GetCurrentProcessId();
}

/* Users have names of any length here; what is asked is whether one is this process' (os_object_win32.c). */
unsigned long vmos_uid(void)
{
    return 1;
}

/* Not known: who lives is told by locks alone. */
uint64_t vmos_bootid(void)
{
    return 0;
}

uint64_t vmos_pidspace(void)
{
    return 0;
}

uint64_t vmos_began(long pid)
{
    (void)pid;
    return 0;
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
