/* SPDX-License-Identifier: MIT */
/*
 * Files and their mappings, with what every Unix has.
 *
 * Locks are those of an opening, which are in POSIX since 2024.  A system without them has flock(), one lock for
 * all bytes of a file: it is the writer's, and readers beside a writer are refused (ENOTSUP).  Nothing is punched
 * or cloned, and a file counts as data from end to end.
 */
#define _GNU_SOURCE 1 /* glibc tells of these locks only so */
#define _DARWIN_C_SOURCE 1
#include "os_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

int vmos_disk_punch(int fd, uint64_t off, uint64_t n)
{
    (void)fd, (void)off, (void)n;
    errno = ENOTSUP;
    return -1;
}

/* 0, or -1 with EAGAIN: another opening has it. */
#ifdef F_OFD_SETLK
static int ask(int fd, uint64_t byte, int mode, int wait)
{
    static const short types[] = {F_UNLCK, F_RDLCK, F_WRLCK};
    struct flock lk = {.l_type = types[mode], .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};
    int r = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lk);
    if (r != 0 && errno == EACCES)
        errno = EAGAIN;
    return r;
}
#else
static int ask(int fd, uint64_t byte, int mode, int wait)
{
    static const int ops[] = {LOCK_UN, LOCK_SH, LOCK_EX};
    int r;
    if (byte % 2 == 0)
        return flock(fd, ops[mode] | (wait ? 0 : LOCK_NB));
    if (mode != 1) /* a writer finds no readers */
        return 0;
    r = flock(fd, LOCK_SH | LOCK_NB);
    if (r != 0 && errno == EWOULDBLOCK)
        errno = ENOTSUP; /* not beside a writer */
    return r;
}
#endif

int vmos_disk_lock(int fd, uint64_t byte, int mode, int wait)
{
    int r, state, keep = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    do
        r = ask(fd, byte, mode, wait);
    while (r != 0 && errno == EINTR);
    pthread_setcancelstate(state, &state);
    if (r == 0)
        errno = keep;
    else if (errno == EAGAIN)
        errno = EBUSY;
    return r;
}

int vmos_disk_clone(int to, int from)
{
    (void)to, (void)from;
    errno = ENOTSUP;
    return -1;
}

int vmos_disk_data(int fd, uint64_t *from, uint64_t *to)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return -1;
    *to = (uint64_t)st.st_size;
    return *from < *to;
}

/* Nobody asks for one: see below. */
void *vmos_disk_window(int fd, uint64_t off, size_t n)
{
    (void)fd, (void)off, (void)n;
    errno = ENOTSUP;
    return NULL;
}

int vmos_disk_settled(int fd)
{
    (void)fd;
    return 0;
}

/* The answer to a hint is compared: nothing is mapped over what is there. */
int vmos_view_reserve(void *addr, size_t size)
{
    if (vmos_mapat(addr, size, VMOS_RESERVE | VMOS_SMALL) != NULL)
        return 0;
    if (errno == EEXIST)
        errno = EADDRINUSE;
    return -1;
}

int vmos_view_file(void *addr, size_t size, int fd, uint64_t off)
{
    int keep = errno, flags = MAP_PRIVATE | MAP_FIXED | (fd < 0 ? MAP_ANON | MAP_NORESERVE : 0);
    if (mmap(addr, size, PROT_READ | PROT_WRITE, flags, fd, fd < 0 ? 0 : (off_t)off) == MAP_FAILED)
        return -1;
    errno = keep;
    return 0;
}
