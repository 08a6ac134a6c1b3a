/* SPDX-License-Identifier: MIT */
/*
 * What Linux does its own way, in that of POSIX: the clock, random numbers, the environment.
 */
#define _DEFAULT_SOURCE 1
#define _DARWIN_C_SOURCE 1
#include "os.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

extern char **environ;

uint64_t vmos_coarsetime(void)
{
    return vmos_nanotime() / 1000000u;
}

uint64_t vmos_random(void)
{
    static uint64_t count;
    int keep = errno;
    uint64_t x;
    if (getentropy(&x, sizeof(x)) != 0)
        x = (vmos_nanotime() ^ (uint64_t)vmos_pid() << 32) * 0x9e3779b97f4a7c15u +
            __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    errno = keep;
    return x;
}

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

/* Without issetugid(), which not every system has. */
static int secure(void)
{
    return getuid() != geteuid() || getgid() != getegid();
}

const char *vmos_getenv(const char *name)
{
    size_t n = strlen(name);
    char **v = secure() ? NULL : environ;
    for (; v != NULL && *v != NULL; v++)
        if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
            return *v + n + 1;
    return NULL;
}

int vmos_letlook(void)
{
    errno = ENOTSUP;
    return -1;
}
