/* SPDX-License-Identifier: MIT */
/*
 * Files that are written through shared mappings: what a process stored there is in the file, in
 * whatever way it dies.  The same on every Unix.
 */
#define _DEFAULT_SOURCE 1
#define _DARWIN_C_SOURCE 1
#include "os_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Locked first and truncated then: nobody's mapping is cut short. */
static int openlocked(const char *path, int flags)
{
    int fd, e;
    do
        fd = open(path, O_RDWR | O_CLOEXEC | flags, 0644);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return -1;
    if (flags == 0 || (flock(fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(fd, 0) == 0))
        return fd;
    e = errno;
    close(fd);
    errno = e;
    return -1;
}

/* The lock belongs to what the descriptor stands for, so it goes with the copy. */
static int opened(const char *path, int flags)
{
    int fd, high, state, keep = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    fd = openlocked(path, flags);
    if (fd >= 0) {
        high = vmos_copyfd(fd);
        if (high >= 0) {
            close(fd);
            fd = high;
        }
        errno = keep;
    }
    pthread_setcancelstate(state, &state);
    return fd;
}

int vmos_file_own(const char *path)
{
    return opened(path, O_CREAT);
}

int vmos_file_again(const char *path)
{
    return opened(path, 0);
}

void vmos_file_close(int fd)
{
    int state, keep = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    close(fd);
    pthread_setcancelstate(state, &state);
    errno = keep;
}

int vmos_file_id(int fd, uint64_t id[2])
{
    struct stat st;
    int keep = errno;
    if (fstat(fd, &st) != 0)
        return -1;
    errno = keep;
    id[0] = (uint64_t)st.st_dev;
    id[1] = (uint64_t)st.st_ino;
    return 0;
}

/* Room on the disk, so that storing never fails. */
static int reserve(int fd, uint64_t offset, size_t size)
{
    if (!vmos_disk_fits(offset + size))
        return EFBIG;
#if defined(__APPLE__)
    return ftruncate(fd, (off_t)(offset + size)) == 0 ? 0 : errno;
#else
    return posix_fallocate(fd, (off_t)offset, (off_t)size);
#endif
}

static void *map(int fd, uint64_t offset, void *addr, size_t size)
{
    int r, keep = errno;
    void *p;
    do
        r = reserve(fd, offset, size);
    while (r == EINTR);
    if (r != 0) {
        errno = r;
        return NULL;
    }
    p = mmap(addr, size, PROT_READ | PROT_WRITE, MAP_SHARED | (addr != NULL ? MAP_FIXED : 0), fd,
             (off_t)offset);
    if (p == MAP_FAILED)
        return NULL;
    errno = keep;
    return p;
}

void *vmos_file_map(int fd, uint64_t offset, size_t size)
{
    return map(fd, offset, NULL, size);
}

int vmos_file_mapat(int fd, uint64_t offset, void *addr, size_t size)
{
    return map(fd, offset, addr, size) != NULL ? 0 : -1;
}

int vmos_file_resize(int fd, uint64_t size)
{
    return vmos_disk_truncate(fd, size);
}
