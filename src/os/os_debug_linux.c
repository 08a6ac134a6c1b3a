/* SPDX-License-Identifier: MIT */
/*
 * What Vmdebug asks of Linux.  Guards are MADV_GUARD_INSTALL and _REMOVE of 6.13.  Files of /proc are
 * read with plain system calls through a buffer on the stack.
 */
#define _GNU_SOURCE 1
#include "os_debug.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define GUARD_INSTALL 102
#define GUARD_REMOVE 103

/* ---- threads ---- */

long vmos_tid(void)
{
    return syscall(SYS_gettid);
}

static char *digits(char *end, unsigned long n)
{
    do
        *--end = (char)('0' + n % 10);
    while ((n /= 10) != 0);
    return end;
}

static int openfor(const char *path)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
}

void vmos_threadname(long tid, char *name, size_t size)
{
    static const char before[] = "/proc/self/task/", after[] = "/comm";
    char path[64], number[24], *n = digits(number + sizeof number, (unsigned long)tid);
    size_t len = (size_t)(number + sizeof number - n);
    int fd, keep = errno;
    ssize_t got;
    memcpy(path, before, sizeof before - 1);
    memcpy(path + sizeof before - 1, n, len);
    memcpy(path + sizeof before - 1 + len, after, sizeof after);
    memset(name, 0, size);
    fd = openfor(path);
    if (fd >= 0) {
        got = syscall(SYS_read, fd, name, size - 1);
        syscall(SYS_close, fd);
        if (got > 0 && name[got - 1] == '\n')
            name[got - 1] = '\0';
    }
    errno = keep;
}

/* ---- memory that may not be there ---- */

/* The kernel stops at what it cannot read; a system that forbids the call is asked page by page
 * whether it could read there. */
size_t vmos_peek(const void *addr, void *to, size_t n)
{
    struct iovec here = {to, n}, there = {(void *)(uintptr_t)addr, n};
    size_t page = vmos_kernelpage(), done = 0;
    int keep = errno;
    while (done < n) { /* a remote piece that crosses into a bad page is refused whole */
        size_t part = page - (((uintptr_t)addr + done) & (page - 1));
        ssize_t got;
        here.iov_base = (char *)to + done;
        there.iov_base = (char *)(uintptr_t)addr + done;
        here.iov_len = there.iov_len = part < n - done ? part : n - done;
        got = syscall(SYS_process_vm_readv, (long)getpid(), &here, 1L, &there, 1L, 0L);
        if (got < 0 && errno != EFAULT &&
            syscall(SYS_rt_sigprocmask, ~0L, (uintptr_t)there.iov_base & ~(uintptr_t)7, NULL, 8L) < 0 &&
            errno == EINVAL) {
            memcpy(here.iov_base, there.iov_base, here.iov_len);
            got = (ssize_t)here.iov_len;
        }
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    errno = keep;
    return done;
}

static int hexdigit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *hex(const char *s, uintptr_t *x)
{
    for (*x = 0; hexdigit(*s) >= 0; s++)
        *x = *x << 4 | (uintptr_t)hexdigit(*s);
    return s;
}

/* "low-high rwxp offset dev inode      name" */
static int parse(char *line, vmos_mapping_t *m)
{
    const char *s = hex(line, &m->low);
    int fields = 0;
    if (*s != '-')
        return -1;
    s = hex(s + 1, &m->high);
    if (*s != ' ' || strlen(s) < 5)
        return -1;
    m->read = s[1] == 'r';
    m->write = s[2] == 'w';
    m->exec = s[3] == 'x';
    m->shared = s[4] == 's';
    for (; *s != '\0' && fields < 5; s++)
        fields += *s == ' ';
    while (*s == ' ')
        s++;
    strncpy(m->name, s, sizeof m->name - 1);
    m->name[sizeof m->name - 1] = '\0';
    return 0;
}

int vmos_mappings(int (*f)(const vmos_mapping_t *m, void *arg), void *arg)
{
    char buf[4096];
    size_t have = 0;
    ssize_t got;
    int fd, r = 0, keep = errno;
    fd = openfor("/proc/self/maps");
    if (fd < 0) {
        errno = errno == EMFILE || errno == ENFILE || errno == ENOMEM ? EAGAIN : ENOTSUP;
        return -1;
    }
    while (r == 0 && (got = syscall(SYS_read, fd, buf + have, sizeof buf - 1 - have)) > 0) {
        char *line = buf, *end;
        have += (size_t)got;
        buf[have] = '\0';
        while (r == 0 && (end = strchr(line, '\n')) != NULL) {
            vmos_mapping_t m;
            *end = '\0';
            if (parse(line, &m) == 0)
                r = f(&m, arg);
            line = end + 1;
        }
        have -= (size_t)(line - buf);
        memmove(buf, line, have);
        if (have == sizeof buf - 1)
            have = 0; /* no line is so long */
    }
    syscall(SYS_close, fd);
    errno = keep;
    return r;
}

typedef struct seek {
    uintptr_t addr;
    vmos_mapping_t *found;
} seek_t;

static int holds(const vmos_mapping_t *m, void *arg)
{
    seek_t *s = arg;
    if (s->addr < m->low || s->addr >= m->high)
        return s->addr < m->low ? 2 : 0;
    *s->found = *m;
    return 1;
}

int vmos_mapping(const void *addr, vmos_mapping_t *m)
{
    seek_t s = {(uintptr_t)addr, m};
    int keep = errno, r = vmos_mappings(holds, &s);
    errno = keep;
    return r == 1 ? 0 : -1;
}

/* ---- guards ---- */

int vmos_guard(void *addr, size_t size)
{
    return madvise(addr, size, GUARD_INSTALL);
}

int vmos_unguard(void *addr, size_t size)
{
    return madvise(addr, size, GUARD_REMOVE);
}

/* A kernel that takes the number for something else must not be believed. */
static int tryout(void)
{
    size_t page = vmos_pagesize();
    char *p = vmos_map(NULL, page, 0), byte;
    int works;
    if (p == NULL)
        return 0;
    *p = 1;
    works = vmos_guard(p, page) == 0 && vmos_peek(p, &byte, 1) == 0 &&
            vmos_unguard(p, page) == 0 && vmos_peek(p, &byte, 1) == 1;
    vmos_unmap(p, page);
    return works;
}

int vmos_guards(void)
{
    static int known; /* plus one */
    if (VMOS_UNLIKELY(__atomic_load_n(&known, __ATOMIC_RELAXED) == 0)) {
        int keep = errno;
        __atomic_store_n(&known, tryout() + 1, __ATOMIC_RELAXED);
        errno = keep;
    }
    return __atomic_load_n(&known, __ATOMIC_RELAXED) - 1;
}

size_t vmos_maxmappings(void)
{
    char text[24];
    size_t n = 0;
    ssize_t got;
    int keep = errno, fd = openfor("/proc/sys/vm/max_map_count");
    got = fd >= 0 ? syscall(SYS_read, fd, text, sizeof text) : 0;
    if (fd >= 0)
        syscall(SYS_close, fd);
    for (ssize_t i = 0; i < got && text[i] >= '0' && text[i] <= '9'; i++)
        n = n * 10 + (size_t)(text[i] - '0');
    errno = keep;
    return n;
}

/* ---- the end ---- */

extern int on_exit(void (*f)(int, void *), void *arg) __attribute__((weak));
static void (*atend)(int status);

static void ended(int status, void *arg)
{
    (void)arg;
    atend(status);
}

static void endedsomehow(void)
{
    atend(-1);
}

int vmos_onexit(void (*f)(int status))
{
    atend = f;
    if (on_exit != NULL)
        return on_exit(ended, NULL) == 0 ? 0 : -1;
    return atexit(endedsomehow) == 0 ? 0 : -1;
}

void vmos_exit(int status)
{
    exit(status);
}
