/* SPDX-License-Identifier: MIT */
/*
 * os_disk: files that are written with care, private mappings of them, and which pages of a mapping
 * this process has changed.  As in os.h: 0 or -1 with errno, and errno is left alone on success.
 */
#ifndef VM_OS_DISK_H
#define VM_OS_DISK_H 1

#include "os.h"

/* ---- files (os_disk.c) ---- */

#define VMOS_DISK_WRITE 1  /* else for reading only */
#define VMOS_DISK_CREATE 2 /* make it when it is not there, with the permissions of mode */
#define VMOS_DISK_NEW 4    /* fail when it is there */

/* A regular file (else EINVAL), close-on-exec and with a high number; -1. */
int vmos_disk_open(const char *path, int flags, int mode);
void vmos_disk_close(int fd);
/* Read up to n bytes at off: how many there were, less than n only at the end; -1. */
int64_t vmos_disk_read(int fd, void *buf, size_t n, uint64_t off);
/* Write all n bytes at off. */
int vmos_disk_write(int fd, const void *buf, size_t n, uint64_t off);
/* All that was written is on the disk when it returns. */
int vmos_disk_sync(int fd);
int vmos_disk_truncate(int fd, uint64_t size);
/* Whether this process may write files up to byte `end`; 0: no, with EFBIG, and trying would end it (os_limit.c). */
int vmos_disk_fits(uint64_t end);
int vmos_disk_rename(const char *from, const char *to);
int vmos_disk_unlink(const char *path);
/* The entry of path in its folder is on the disk when it returns. */
int vmos_disk_syncname(const char *path);

typedef struct vmos_disk_stat {
    uint64_t dev, ino, size;
    uint64_t used; /* bytes that it takes on the disk */
    int mine;      /* the user, or root, owns it */
} vmos_disk_stat_t;
int vmos_disk_stat(int fd, vmos_disk_stat_t *st);

/* ---- what systems do each in their way (os_disk_*.c) ---- */

/* Bytes [off, off+n) read as zeros and take no room; -1: cannot. */
int vmos_disk_punch(int fd, uint64_t off, uint64_t n);
/* Lock byte `byte` of the file against other openings of it, in this process or others: mode 0 none,
 * 1 shared, 2 exclusive.  wait 0: -1 with EBUSY when another has it.  Gone with the opening. */
int vmos_disk_lock(int fd, uint64_t byte, int mode, int wait);
/* Make `to` a copy of all of `from` that shares its blocks; -1: cannot. */
int vmos_disk_clone(int to, int from);
/* The next stretch with data at or behind *from: [*from, *to).  1, 0 at the end, -1. */
int vmos_disk_data(int fd, uint64_t *from, uint64_t *to);

/* Reserve [addr, addr+size), where nothing is mapped yet: cleared memory that costs nothing until it
 * is touched.  -1: EADDRINUSE, or ENOMEM. */
int vmos_view_reserve(void *addr, size_t size);
/* Replace [addr, addr+size) of it with a private copy of the file from off on; fd -1: with cleared
 * memory.  All of it must be in the file. */
int vmos_view_file(void *addr, size_t size, int fd, uint64_t off);

/* Map n bytes of the file from off on, which it has, for all to see what is stored there, and touch them; NULL.  To be
 * undone by vmos_unmap(). */
void *vmos_disk_window(int fd, uint64_t off, size_t n);
/* Whether storing over what was written needs no more room, ever, unless a copy shares it: where it does, a full disk
 * is not told, but ends the process. */
int vmos_disk_settled(int fd);

/* ---- changed pages (os_track_*.c) ---- */

/* A descriptor through which writes are noted, -1: the system cannot. */
int vmos_track_open(void);
/* Note writes into [addr, addr+size) from now on; what was written before counts as changed. */
int vmos_track_add(int fd, void *addr, size_t size);
/* A descriptor that tells of the pages of this process, -1: cannot. */
int vmos_pagemap_open(void);

typedef struct vmos_span {
    char *addr;
    size_t size;
} vmos_span_t;
/* Pages in [*from, end) that may have changed since they were last looked at, as at most max spans;
 * they count as unchanged from now on.  Two may have parts of one page, when the system's are smaller.
 * *from moves to where it stopped.  Number of spans, -1. */
int vmos_track_scan(int pagemap, char **from, char *end, vmos_span_t *spans, int max);
/* The same, and they go on counting as changed. */
int vmos_track_look(int pagemap, char **from, char *end, vmos_span_t *spans, int max);
/* Faults of pages that the process has had so far, in all of its threads; 0: not known. */
uint64_t vmos_faults(void);
/* What the system tells of n of its own pages from addr on, one byte each; -1. */
#define VMOS_PAGE_THERE 1 /* in memory, or swapped out */
#define VMOS_PAGE_OWN 2   /* and not the file's */
int vmos_pagemap_kinds(int pagemap, const void *addr, size_t n, unsigned char *kind);
/* For n pages from addr on: whether they are in memory as copies of this process, one byte each. */
int vmos_pagemap_private(int pagemap, const void *addr, size_t n, unsigned char *is);

#endif
