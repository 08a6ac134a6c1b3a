/* SPDX-License-Identifier: MIT */
/*
 * Objects that processes map: files, and memory that has a name or just descriptors.
 *
 * Their locks are byte locks far behind any byte that is there.  Where the system has locks of open
 * file descriptions (Linux 3.15, POSIX 2024) they belong to what a descriptor leads to: two openings
 * in one process are as apart as those of two processes, a copy of a descriptor shares them, and they
 * go when the last copy does, however a process ends.  Elsewhere they are those of a process.
 *
 * Many of the calls are cancellation points, an allocation is none: cancelling waits meanwhile.
 */
#define _GNU_SOURCE 1
#define _DARWIN_C_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include "os_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef F_OFD_SETLK
#define SETLOCK F_OFD_SETLK
#define SETLOCKWAIT F_OFD_SETLKW
#define GETLOCK F_OFD_GETLK
#else
#define SETLOCK F_SETLK
#define SETLOCKWAIT F_SETLKW
#define GETLOCK F_GETLK
#endif
#ifndef O_CLOEXEC
#define O_CLOEXEC 0
#endif

#define PATHSIZE 320
#define LOCKS (sizeof(off_t) > 4 ? (off_t)1 << (sizeof(off_t) * 8 - 3) : (off_t)0x70000000)

/* ---- opening ---- */

static int high(int fd)
{
    int copy = vmos_copyfd(fd);
    if (copy < 0)
        return fd;
    close(fd);
    return copy;
}

/* Memory with a name: what shm_open() does, which old systems have in a library of its own. */
static int nameof(char *path, const char *name)
{
#ifdef __linux__
    static const char dir[] = "/dev/shm/";
#else
    static const char dir[] = "/tmp/.shm.";
#endif
    size_t n = strlen(name);
    if (n == 0 || n > 200 || strchr(name, '/') != NULL || name[0] == '.') {
        errno = EINVAL;
        return -1;
    }
    memcpy(path, dir, sizeof(dir) - 1);
    memcpy(path + sizeof(dir) - 1, name, n + 1);
    return 0;
}

/* The umask has no say in what was asked for; a file that was there keeps its permissions. */
static int openobject(const char *path, int flags, unsigned mode)
{
    int more = O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (flags & VMOS_MEMORY ? O_NOFOLLOW : 0);
    int fd = flags & VMOS_CREATE ? open(path, more | O_CREAT | O_EXCL, 0600) : -1;
    if (fd >= 0) {
        if (mode != 0600 && fchmod(fd, (mode_t)mode) != 0) {
            close(fd);
            return -1;
        }
        return fd;
    }
    if ((flags & VMOS_CREATE) && errno != EEXIST)
        return -1;
    fd = open(path, more);
    if (fd < 0 && errno == ENOENT && (flags & VMOS_CREATE)) /* a link to what is not there yet */
        fd = open(path, more | O_CREAT, (mode_t)mode);
    return fd;
}

static int isobject(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return 0;
    if (S_ISREG(st.st_mode))
        return 1;
    errno = EINVAL;
    return 0;
}

static int checked(int fd)
{
    int e;
    if (fd < 0 || isobject(fd))
        return fd < 0 ? -1 : high(fd);
    e = errno;
    close(fd);
    errno = e;
    return -1;
}

int vmos_object_open(const char *path, int flags, unsigned mode)
{
    char name[PATHSIZE];
    int state, fd, keep = errno;
    if (flags & VMOS_MEMORY) {
        if (nameof(name, path) != 0)
            return -1;
        path = name;
    }
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    fd = checked(openobject(path, flags, mode));
    pthread_setcancelstate(state, &state);
    if (fd >= 0)
        errno = keep;
    return fd;
}

int vmos_object_again(int fd)
{
    static const char dir[] = "/proc/self/fd/";
    char path[sizeof(dir) + 12], *end = path + sizeof(path) - 1;
    unsigned n = (unsigned)fd;
    if (fd < 0) {
        errno = EBADF;
        return -1;
    }
    *end = '\0';
    do
        *--end = (char)('0' + n % 10);
    while ((n /= 10) != 0);
    end -= sizeof(dir) - 1;
    memcpy(end, dir, sizeof(dir) - 1);
    return vmos_object_open(end, 0, 0);
}

void vmos_object_close(int fd)
{
    int keep = errno, state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    close(fd);
    pthread_setcancelstate(state, &state);
    errno = keep;
}

int vmos_object_stat(int fd, vmos_object_t *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return -1;
    out->dev = (uint64_t)st.st_dev;
    out->ino = (uint64_t)st.st_ino;
    out->size = (uint64_t)st.st_size;
    out->uid = (unsigned long)st.st_uid;
    out->named = st.st_nlink > 0;
    return 0;
}

int vmos_object_remove(const char *path, int flags)
{
    char name[PATHSIZE];
    if (flags & VMOS_MEMORY) {
        if (nameof(name, path) != 0)
            return -1;
        path = name;
    }
    return unlink(path);
}

/* ---- what is in it ---- */

/* 0; -1 with errno.  Signals may come between. */
static int allocate(int fd, uint64_t from, uint64_t size)
{
#ifdef __linux__
    int r;
    do
        r = fallocate(fd, 0, (off_t)from, (off_t)size);
    while (r != 0 && errno == EINTR);
    return r;
#else
    (void)fd, (void)from, (void)size;
    errno = EOPNOTSUPP;
    return -1;
#endif
}

int vmos_object_grow(int fd, uint64_t from, uint64_t to)
{
    int state, keep = errno, r;
    vmos_object_t st;
    if (to <= from)
        return 0;
    if (!vmos_disk_fits(to))
        return -1;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    r = allocate(fd, from, to - from);
    if (r != 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) {
        r = vmos_object_stat(fd, &st);
        if (r == 0 && st.size < to)
            r = ftruncate(fd, (off_t)to);
    }
    pthread_setcancelstate(state, &state);
    if (r == 0)
        errno = keep;
    return r;
}

int vmos_object_cut(int fd, uint64_t size)
{
    int state, r;
    vmos_object_t st;
    if (!vmos_disk_fits(size) && (vmos_object_stat(fd, &st) != 0 || st.size < size)) {
        errno = EFBIG;
        return -1;
    }
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    r = ftruncate(fd, (off_t)size);
    pthread_setcancelstate(state, &state);
    return r;
}

int vmos_object_punch(int fd, uint64_t from, uint64_t to)
{
#ifdef FALLOC_FL_PUNCH_HOLE
    int state, r;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    r = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from));
    pthread_setcancelstate(state, &state);
    return r;
#else
    (void)fd, (void)from, (void)to;
    errno = EOPNOTSUPP;
    return -1;
#endif
}

int vmos_object_read(int fd, void *buf, size_t n, uint64_t from)
{
    size_t done = 0;
    int state;
    ssize_t r;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    do {
        r = pread(fd, (char *)buf + done, n - done, (off_t)(from + done));
        done += r > 0 ? (size_t)r : 0;
    } while (r > 0 ? done < n : r < 0 && errno == EINTR);
    pthread_setcancelstate(state, &state);
    return r < 0 ? -1 : 0;
}

int vmos_object_write(int fd, const void *buf, size_t n, uint64_t to)
{
    size_t done = 0;
    int state;
    ssize_t r;
    if (!vmos_disk_fits(to + n))
        return -1;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    do {
        r = pwrite(fd, (const char *)buf + done, n - done, (off_t)(to + done));
        done += r > 0 ? (size_t)r : 0;
    } while (r > 0 ? done < n : r < 0 && errno == EINTR);
    pthread_setcancelstate(state, &state);
    return done == n ? 0 : -1;
}

/* Pages one by one: a file system that keeps them in large folios would write a whole folio for
 * each page that was touched, and read as much. */
int vmos_object_map(int fd, void *addr, size_t size)
{
    int keep = errno;
    void *p = vmos_mapat(addr, size, VMOS_RESERVE | VMOS_NOTOUCH);
    if (p == NULL) {
        errno = EEXIST;
        return -1;
    }
    p = mmap(addr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    if (p == MAP_FAILED) {
        keep = errno;
        vmos_unmap(addr, size);
        errno = keep;
        return -1;
    }
    madvise(p, size, MADV_RANDOM);
    errno = keep;
    return 0;
}

int vmos_object_unmap(void *addr, size_t size)
{
    return vmos_unmap(addr, size);
}

int vmos_object_sync(void *addr, size_t size, int wait)
{
    int state, r;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    r = msync(addr, size, wait ? MS_SYNC : MS_ASYNC);
    pthread_setcancelstate(state, &state);
    return r;
}

/* ---- locks ---- */

static int setlock(int fd, int how, short type, unsigned n)
{
    struct flock lock = {0};
    int state, r;
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = LOCKS + (off_t)n;
    lock.l_len = 1;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    do
        r = fcntl(fd, how, &lock);
    while (r != 0 && errno == EINTR);
    pthread_setcancelstate(state, &state);
    if (how == GETLOCK && r == 0)
        return lock.l_type != F_UNLCK;
    if (r != 0 && errno == EACCES)
        errno = EAGAIN;
    return r;
}

int vmos_object_lock(int fd, unsigned n, int wait)
{
    return setlock(fd, wait ? SETLOCKWAIT : SETLOCK, F_WRLCK, n);
}

int vmos_object_unlock(int fd, unsigned n)
{
    return setlock(fd, SETLOCK, F_UNLCK, n);
}

int vmos_object_locked(int fd, unsigned n)
{
    int keep = errno, r = setlock(fd, GETLOCK, F_WRLCK, n);
    if (r >= 0)
        errno = keep;
    return r;
}
