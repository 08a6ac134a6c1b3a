/* SPDX-License-Identifier: MIT */
/*
 * What Linux does its own way: the cheap clock, random numbers, the environment.
 */
#define _GNU_SOURCE 1
#include "os.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NONBLOCK 1 /* GRND_NONBLOCK, whose header is younger than the call */

uint64_t vmos_coarsetime(void)
{
    struct timespec t = {0, 0};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

/* ---- random numbers ---- */

/* One step of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Early in the boot, or where the call is forbidden: the 16 random bytes that the kernel gives to
 * each program, with the clock and a count. */
static uint64_t poorrandom(void)
{
    static uint64_t count;
    uint64_t seed[2] = {0, 0};
    const void *given = (const void *)getauxval(AT_RANDOM);
    if (given != NULL)
        memcpy(seed, given, sizeof(seed));
    seed[0] ^= vmos_nanotime() + (uint64_t)vmos_pid();
    return mix(seed[0] + mix(seed[1] + __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED)));
}

uint64_t vmos_random(void)
{
    int keep = errno;
    uint64_t x;
    if (syscall(SYS_getrandom, &x, sizeof(x), NONBLOCK) != (long)sizeof(x))
        x = poorrandom();
    errno = keep;
    return x;
}

/* ---- the environment ---- */

/* Where glibc's loader found the arguments; absent elsewhere. */
extern void *__libc_stack_end __attribute__((weak));

/* environ is NULL until libc has set itself up, which may be after our first call when we are the
 * malloc that it uses for that.  The kernel's own array is then behind the arguments:
 *
 *   __libc_stack_end -> | argc | argv[0] ... argv[argc-1] | NULL | envp[0] ... | NULL | auxv
 */
static char **variables(void)
{
    long *stack;
    if (environ != NULL || &__libc_stack_end == NULL || __libc_stack_end == NULL)
        return environ;
    stack = __libc_stack_end;
    return (char **)(stack + 1 + stack[0] + 1);
}

static int secure(void)
{
    int keep = errno;
    int yes = getauxval(AT_SECURE) != 0;
    errno = keep;
    return yes;
}

const char *vmos_getenv(const char *name)
{
    size_t n = strlen(name);
    char **v = secure() ? NULL : variables();
    for (; v != NULL && *v != NULL; v++)
        if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
            return *v + n + 1;
    return NULL;
}

/* Of the security module Yama; where it is not, nothing needs to be allowed. */
int vmos_letlook(void)
{
    int keep = errno;
#ifdef PR_SET_PTRACER
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
#endif
    errno = keep;
    return 0;
}
