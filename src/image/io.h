/* SPDX-License-Identifier: MIT */
/*
 * io: the door through which images reach their files.  Everything that lasts goes through it, so that
 * a test that puts its own table in place sees each write, and can let it fail, tear it or forget it.
 */
#ifndef VM_IMAGE_IO_H
#define VM_IMAGE_IO_H 1

#include "os_disk.h"

/* As the functions vmos_disk_... of the same names. */
typedef struct vmi_io {
    int (*open)(const char *path, int flags, int mode);
    void (*close)(int fd);
    int64_t (*read)(int fd, void *buf, size_t n, uint64_t off);
    int (*write)(int fd, const void *buf, size_t n, uint64_t off);
    int (*sync)(int fd);
    int (*truncate)(int fd, uint64_t size);
    int (*punch)(int fd, uint64_t off, uint64_t n);
    int (*clone)(int to, int from);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
    int (*syncname)(const char *path);
    void *(*window)(int fd, uint64_t off, size_t n);
    /* Copy n bytes to where they are mapped, `off` in the file.  -1: they are to be written. */
    int (*store)(int fd, void *to, const void *from, size_t n, uint64_t off);
} vmi_io_t;

extern const vmi_io_t vmi_system; /* the real ones */
extern const vmi_io_t *vmi_io;    /* those in use; to be replaced while no image is open */

#endif
