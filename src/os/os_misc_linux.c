/* SPDX-License-Identifier: MIT */
/*
 * What Linux does its own way: the cheap clock, random numbers, the environment.
 */
#define _GNU_SOURCE 1
#include "os.h"
#include "os_debug.h"

#include <errno.h>
#include <fcntl.h>
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

/* ---- processes ---- */

/* The start of a file of /proc, ended by '\0'; its length, 0: there is none. */
static size_t head(const char *path, char *text, size_t size)
{
    int keep = errno;
    long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC), n = 0;
    if (fd >= 0) {
        n = syscall(SYS_read, fd, text, size - 1);
        syscall(SYS_close, fd);
    }
    errno = keep;
    n = n > 0 ? n : 0;
    text[n] = '\0';
    return (size_t)n;
}

static uint64_t hash(const char *text, size_t n)
{
    uint64_t h = 0;
    for (size_t i = 0; i < n; i++)
        h = mix(h ^ (unsigned char)text[i]);
    return h;
}

uint64_t vmos_bootid(void)
{
    char text[64];
    size_t n = head("/proc/sys/kernel/random/boot_id", text, sizeof(text));
    return n > 0 ? hash(text, n) | 1 : 0;
}

uint64_t vmos_pidspace(void)
{
    int keep = errno;
    char text[64];
    long n = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/ns/pid", text, sizeof(text));
    errno = keep;
    return n > 0 ? hash(text, (size_t)n) | 1 : 0;
}

/* The 22nd field of /proc/PID/stat; the second, a name in parentheses, may hold anything.  The third
 * is the state: Z and X have ended. */
uint64_t vmos_began(long pid)
{
    char path[32] = "/proc/", text[512], *end = path + 30, *p;
    uint64_t began = 0;
    size_t n;
    if (pid <= 0 || pid > INT32_MAX)
        return 0;
    memcpy(path + 24, "/stat", 6);
    for (end = path + 24; pid > 0; pid /= 10)
        *--end = (char)('0' + pid % 10);
    memmove(path + 6, end, (size_t)(path + 30 - end));
    n = head(path, text, sizeof(text));
    p = n > 0 ? strrchr(text, ')') : NULL;
    if (p == NULL || p[1] != ' ' || p[2] == 'Z' || p[2] == 'X')
        return 0;
    for (int field = 2; field < 22 && p != NULL; field++)
        p = strchr(p + 1, ' ');
    for (p = p != NULL ? p + 1 : text + n; *p >= '0' && *p <= '9'; p++)
        began = began * 10 + (uint64_t)(*p - '0');
    return began;
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

/* A program may have freed what it gave to putenv(), and a freed block may have lost access.  Above the stack is the
 * kernel's own copy.  Where nothing can be tried, nothing is known. */
int vmos_isvariable(const char *variable)
{
    char byte = 0, try;
    if (&__libc_stack_end != NULL && (uintptr_t)variable > (uintptr_t)__libc_stack_end)
        return 1;
    return vmos_peek(variable, &try, 1) == 1 || vmos_peek(&byte, &try, 1) != 1;
}

const char *vmos_getenv(const char *name)
{
    size_t n = strlen(name);
    char **v = secure() ? NULL : variables();
    for (; v != NULL && *v != NULL; v++)
        if (vmos_isvariable(*v) && strncmp(*v, name, n) == 0 && (*v)[n] == '=')
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
