/* SPDX-License-Identifier: MIT */
/*
 * Files and their mappings, what Linux does its own way.
 *
 * Locks are those of an opening (F_OFD_SETLK, 3.15): they hold between threads as between processes, and
 * the kernel drops them with the last descriptor of a process that dies.
 * Cost: one system call each, and two for a mapping.
 */
#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include "os_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef F_OFD_SETLK
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#endif
#define CLONE _IOW(0x94, 9, int) /* FICLONE of <linux/fs.h> */

int vmos_disk_punch(int fd, uint64_t off, uint64_t n)
{
    int keep = errno;
    int r = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)n);
    if (r == 0)
        errno = keep;
    return r;
}

int vmos_disk_lock(int fd, uint64_t byte, int mode, int wait)
{
    static const short types[] = {F_UNLCK, F_RDLCK, F_WRLCK};
    struct flock lk = {.l_type = types[mode], .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};
    int r, state, keep = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    do
        r = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lk);
    while (r != 0 && errno == EINTR);
    pthread_setcancelstate(state, &state);
    if (r == 0)
        errno = keep;
    else if (errno == EAGAIN || errno == EACCES)
        errno = EBUSY;
    return r;
}

int vmos_disk_clone(int to, int from)
{
    int keep = errno, r = ioctl(to, CLONE, from);
    if (r == 0)
        errno = keep;
    return r;
}

int vmos_disk_data(int fd, uint64_t *from, uint64_t *to)
{
    int keep = errno;
    off_t hole, data = lseek(fd, (off_t)*from, SEEK_DATA);
    if (data < 0 && errno == ENXIO) {
        errno = keep;
        return 0;
    }
    hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
    if (hole < 0)
        return -1;
    *from = (uint64_t)data;
    *to = (uint64_t)hole;
    return 1;
}

/* ---- mappings ---- */

void *vmos_disk_window(int fd, uint64_t off, size_t n)
{
    int keep = errno;
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)off);
    if (p == MAP_FAILED)
        return NULL;
    madvise(p, n, MADV_DONTFORK);
    vmos_populate(p, n); /* MAP_POPULATE touches what is shared for reading only */
    errno = keep;
    return p;
}

/* ext2 to ext4, XFS, tmpfs: of others that write elsewhere each time, or through a network, it is not known. */
int vmos_disk_settled(int fd)
{
    struct statfs s;
    unsigned long type;
    if (fstatfs(fd, &s) != 0)
        return 0;
    type = (unsigned long)s.f_type & 0xffffffff;
    return type == 0xef53 || type == 0x58465342 || type == 0x01021994;
}

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
    int keep = errno, flags = MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE | (fd < 0 ? MAP_ANONYMOUS : 0);
    if (mmap(addr, size, PROT_READ | PROT_WRITE, flags, fd, fd < 0 ? 0 : (off_t)off) == MAP_FAILED)
        return -1;
    madvise(addr, size, MADV_NOHUGEPAGE);
    errno = keep;
    return 0;
}
