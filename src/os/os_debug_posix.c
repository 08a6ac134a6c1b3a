/* SPDX-License-Identifier: MIT */
/* What Vmdebug asks of systems other than Linux: what Posix has; the rest is not available there. */
#define _DEFAULT_SOURCE 1
#include "os_debug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

long vmos_tid(void)
{
    return (long)(vmos_self() >> 4);
}

void vmos_threadname(long tid, char *name, size_t size)
{
    (void)tid;
    memset(name, 0, size);
}

/* A pipe refuses what cannot be read. */
size_t vmos_peek(const void *addr, void *to, size_t n)
{
    int fd[2], keep = errno;
    size_t done = 0;
    if (pipe(fd) != 0)
        return 0;
    while (done < n) {
        size_t part = n - done < 256 ? n - done : 256;
        if (write(fd[1], (const char *)addr + done, part) != (ssize_t)part) {
            if (part == 1 || write(fd[1], (const char *)addr + done, part = 1) != 1)
                break;
        }
        if (read(fd[0], (char *)to + done, part) != (ssize_t)part)
            break;
        done += part;
    }
    close(fd[0]);
    close(fd[1]);
    errno = keep;
    return done;
}

int vmos_mapping(const void *addr, vmos_mapping_t *m)
{
    (void)addr, (void)m;
    return -1;
}

int vmos_mappings(int (*f)(const vmos_mapping_t *m, void *arg), void *arg)
{
    (void)f, (void)arg;
    errno = ENOTSUP;
    return -1;
}

int vmos_guards(void)
{
    return 0;
}

int vmos_guard(void *addr, size_t size)
{
    (void)addr, (void)size;
    errno = ENOSYS;
    return -1;
}

int vmos_unguard(void *addr, size_t size)
{
    return vmos_guard(addr, size);
}

size_t vmos_maxmappings(void)
{
    return 0;
}

static void (*atend)(int status);

static void ended(void)
{
    atend(-1);
}

int vmos_onexit(void (*f)(int status))
{
    atend = f;
    return atexit(ended) == 0 ? 0 : -1;
}

void vmos_exit(int status)
{
    exit(status);
}

/* Faults are the system's own affair here. */
int vmos_onfault(int (*f)(const vmos_fault_t *fault))
{
    (void)f;
    errno = ENOSYS;
    return -1;
}

int vmos_fault_registers(const void *context, int (*f)(uintptr_t value, void *arg), void *arg)
{
    (void)context, (void)f, (void)arg;
    return 0;
}

int vmos_fault_action(int sig, const struct sigaction *act, struct sigaction *old)
{
    (void)sig, (void)act, (void)old;
    return -1;
}

void vmos_patch(const vmos_patch_t *table, size_t n)
{
    (void)table, (void)n;
}

int vmos_watch_begin(void (*f)(int slot, const void *context))
{
    (void)f;
    errno = ENOSYS;
    return 0;
}

int vmos_watch(int slot, const void *addr, size_t len, int reads)
{
    (void)slot, (void)addr, (void)len, (void)reads;
    errno = ENOSYS;
    return -1;
}

void vmos_watch_forked(void)
{
}
