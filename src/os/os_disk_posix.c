/* SPDX-License-Identifier: MIT */
/*
 * Files and their mappings, with what every Unix has.
 *
 * Locks are those of flock(), one for all bytes of a file: the exclusive lock of a writer then keeps
 * readers out.  Nothing is punched or cloned, and a file counts as data from end to end.
 */
#define _DEFAULT_SOURCE 1
#include "os_disk.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int vmos_disk_punch(int fd, uint64_t off, uint64_t n)
{
    (void)fd, (void)off, (void)n;
    errno = ENOTSUP;
    return -1;
}

/* Byte 0 is the writer's, and the only one that is locked. */
int vmos_disk_lock(int fd, uint64_t byte, int mode, int wait)
{
    static const int ops[] = {LOCK_UN, LOCK_SH, LOCK_EX};
    int keep = errno;
    if (byte % 2 != 0)
        return 0;
    if (flock(fd, ops[mode] | (wait ? 0 : LOCK_NB)) != 0) {
        errno = errno == EWOULDBLOCK ? EBUSY : errno;
        return -1;
    }
    errno = keep;
    return 0;
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
    int keep = errno, flags = MAP_PRIVATE | MAP_FIXED | (fd < 0 ? MAP_ANON : 0);
    if (mmap(addr, size, PROT_READ | PROT_WRITE, flags, fd, fd < 0 ? 0 : (off_t)off) == MAP_FAILED)
        return -1;
    errno = keep;
    return 0;
}
