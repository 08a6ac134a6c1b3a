/* SPDX-License-Identifier: MIT */
/*
 * Files written with care, as far as all Unixes do it alike.
 *
 * Calls are restarted after signals, and no thread is cancelled in them: the caller holds locks.
 * Cost: one system call each, and two for the cancelling.
 */
#define _DEFAULT_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include "os_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One call's share of a large transfer, far below what any system refuses. */
#define SHARE ((size_t)1 << 30)

static int uncancelled(void)
{
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    return state;
}

static void cancellable(int state)
{
    pthread_setcancelstate(state, &state);
}

static int openflags(int flags)
{
    int f = O_CLOEXEC | O_NOCTTY | O_NONBLOCK; /* a pipe would wait for its other end */
    f |= flags & VMOS_DISK_WRITE ? O_RDWR : O_RDONLY;
    if (flags & (VMOS_DISK_CREATE | VMOS_DISK_NEW))
        f |= O_CREAT;
    return flags & VMOS_DISK_NEW ? f | O_EXCL : f;
}

static int regular(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return 0;
    if (!S_ISREG(st.st_mode))
        errno = EINVAL;
    return S_ISREG(st.st_mode);
}

int vmos_disk_open(const char *path, int flags, int mode)
{
    int fd, high, keep = errno, state = uncancelled();
    do
        fd = open(path, openflags(flags), mode);
    while (fd < 0 && errno == EINTR);
    if (fd >= 0 && !regular(fd)) {
        int e = errno;
        close(fd);
        errno = e;
        fd = -1;
    }
    if (fd >= 0) {
        high = vmos_copyfd(fd);
        if (high >= 0) {
            close(fd);
            fd = high;
        }
        errno = keep;
    }
    cancellable(state);
    return fd;
}

void vmos_disk_close(int fd)
{
    int keep = errno, state = uncancelled();
    close(fd);
    errno = keep;
    cancellable(state);
}

int64_t vmos_disk_read(int fd, void *buf, size_t n, uint64_t off)
{
    int keep = errno, state = uncancelled();
    size_t got = 0;
    ssize_t r = 1;
    while (got < n && r > 0) {
        size_t share = n - got < SHARE ? n - got : SHARE;
        r = pread(fd, (char *)buf + got, share, (off_t)(off + got));
        if (r < 0 && errno == EINTR)
            r = 1;
        else if (r > 0)
            got += (size_t)r;
    }
    cancellable(state);
    if (r < 0)
        return -1;
    errno = keep;
    return (int64_t)got;
}

int vmos_disk_write(int fd, const void *buf, size_t n, uint64_t off)
{
    int keep = errno, state = uncancelled();
    size_t done = 0;
    ssize_t r = vmos_disk_fits(off + n) ? 0 : -1;
    while (done < n && r >= 0) {
        size_t share = n - done < SHARE ? n - done : SHARE;
        r = pwrite(fd, (const char *)buf + done, share, (off_t)(off + done));
        if (r < 0 && errno == EINTR)
            r = 0;
        else if (r > 0)
            done += (size_t)r;
    }
    cancellable(state);
    if (r < 0)
        return -1;
    errno = keep;
    return 0;
}

int vmos_disk_sync(int fd)
{
    int r, keep = errno, state = uncancelled();
#if defined(_POSIX_SYNCHRONIZED_IO) && _POSIX_SYNCHRONIZED_IO > 0
    r = fdatasync(fd);
#else
    r = fsync(fd);
#endif
    cancellable(state);
    if (r == 0)
        errno = keep;
    return r;
}

int vmos_disk_truncate(int fd, uint64_t size)
{
    int r, keep = errno;
    struct stat st;
    if (!vmos_disk_fits(size) && (fstat(fd, &st) != 0 || (uint64_t)st.st_size < size)) {
        errno = EFBIG;
        return -1;
    }
    do
        r = ftruncate(fd, (off_t)size);
    while (r != 0 && errno == EINTR);
    if (r == 0)
        errno = keep;
    return r;
}

int vmos_disk_rename(const char *from, const char *to)
{
    return rename(from, to);
}

int vmos_disk_unlink(const char *path)
{
    return unlink(path);
}

/* The folder is opened by a path that ends where the name begins. */
int vmos_disk_syncname(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    int fd, r, keep = errno, state;
    if (n + 2 > sizeof folder) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(folder, path, n);
    memcpy(folder + n, ".", 2);
    state = uncancelled();
    fd = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    r = fd < 0 ? -1 : fsync(fd);
    if (r != 0 && (errno == EINVAL || errno == EBADF || errno == ENOTSUP))
        r = 0; /* a file system whose folders need no syncing */
    if (fd >= 0)
        vmos_disk_close(fd);
    cancellable(state);
    if (r == 0)
        errno = keep;
    return r;
}

int vmos_disk_stat(int fd, vmos_disk_stat_t *st)
{
    struct stat s;
    if (fstat(fd, &s) != 0)
        return -1;
    st->dev = (uint64_t)s.st_dev;
    st->ino = (uint64_t)s.st_ino;
    st->size = (uint64_t)s.st_size;
    st->used = (uint64_t)s.st_blocks * 512;
    st->mine = s.st_uid == geteuid() || s.st_uid == 0;
    return 0;
}
