/* SPDX-License-Identifier: MIT */
/*
 * Which pages of a mapping this process has changed, on Linux.
 *
 *   userfaultfd, asynchronous write protection (6.7)   the first write to a page takes a bit away, without
 *                                                      a signal or a thread, in about a microsecond
 *   PAGEMAP_SCAN (6.7)                                 pages without the bit, which get it anew in the
 *                                                      same call
 *   /proc/self/pagemap (bits 61 to 63: 3.5)            a page of a private mapping that is in memory and not
 *                                                      the file's is one that was written
 *
 * Systems' filters forbid userfaultfd (containers), and soft-dirty bits claim to work where they are not
 * compiled in: who relies on any of this tries it first.  A page that is there and was never looked at
 * counts as written.
 */
#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include "os_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of <linux/userfaultfd.h> and <linux/fs.h>, which are younger than most systems' headers. */
#define UFFD_USER_MODE_ONLY 1
#define UFFD_API_NUMBER 0xaaull
#define FEATURE_WP_UNPOPULATED (1ull << 13)
#define FEATURE_WP_ASYNC (1ull << 15)
#define REGISTER_MODE_WP 2ull
#define PAGE_IS_WRITTEN 2ull
#define PAGE_IS_PRESENT 8ull
#define PAGE_IS_SWAPPED 16ull
#define SCAN_WP_MATCHING 1ull
#define SCAN_CHECK_WPASYNC 2ull

struct uffd_api {
    uint64_t api, features, ioctls;
};
struct uffd_register {
    uint64_t start, len, mode, ioctls;
};
struct scan_region {
    uint64_t start, end, categories;
};
struct scan_arg {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define UFFDIO_API_CALL _IOWR(0xaa, 0x3f, struct uffd_api)
#define UFFDIO_REGISTER_CALL _IOWR(0xaa, 0x00, struct uffd_register)
#define PAGEMAP_SCAN_CALL _IOWR('f', 16, struct scan_arg)

#define MAXSPANS 256

/* ioctl(), whose second argument is int in musl and unsigned long in glibc. */
static int control(int fd, unsigned long request, void *arg)
{
    return (int)syscall(SYS_ioctl, fd, request, arg);
}

static int moveup(int fd)
{
    int high = fd < 0 ? -1 : vmos_copyfd(fd);
    if (high < 0)
        return fd;
    close(fd);
    return high;
}

int vmos_track_open(void)
{
    struct uffd_api api = {UFFD_API_NUMBER, FEATURE_WP_ASYNC | FEATURE_WP_UNPOPULATED, 0};
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
    if (fd < 0)
        return -1;
    if (control(fd, UFFDIO_API_CALL, &api) != 0) {
        int e = errno;
        close(fd);
        errno = e;
        return -1;
    }
    return moveup(fd);
}

int vmos_track_add(int fd, void *addr, size_t size)
{
    struct uffd_register r = {(uintptr_t)addr, size, REGISTER_MODE_WP, 0};
    return control(fd, UFFDIO_REGISTER_CALL, &r) != 0 ? -1 : 0;
}

int vmos_pagemap_open(void)
{
    return moveup(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
}

/* Pages that are not there count as written with the kernel: asking for those that are keeps it from
 * making page tables for gigabytes that nobody touched, and makes it half as fast, 0.5 ms a GiB. */
static int scan(int pagemap, uint64_t flags, char **from, char *end, vmos_span_t *spans, int max)
{
    struct scan_region found[MAXSPANS];
    struct scan_arg a = {.size = sizeof a,
                         .flags = flags | SCAN_CHECK_WPASYNC,
                         .start = (uintptr_t)*from,
                         .end = (uintptr_t)end,
                         .vec = (uintptr_t)found,
                         .vec_len = (uint64_t)(max < MAXSPANS ? max : MAXSPANS),
                         .category_mask = PAGE_IS_WRITTEN,
                         .category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
                         .return_mask = PAGE_IS_WRITTEN};
    uintptr_t mask = vmos_pagesize() - 1;
    int i, n = control(pagemap, PAGEMAP_SCAN_CALL, &a);
    if (n < 0)
        return -1;
    for (i = 0; i < n; i++) { /* pages of ours may be larger than the kernel's */
        uintptr_t low = (uintptr_t)found[i].start & ~mask, high = ((uintptr_t)found[i].end + mask) & ~mask;
        spans[i] = (vmos_span_t){(char *)low, (size_t)(high - low)};
    }
    *from = (char *)(uintptr_t)a.walk_end;
    return n;
}

int vmos_track_scan(int pagemap, char **from, char *end, vmos_span_t *spans, int max)
{
    return scan(pagemap, SCAN_WP_MATCHING, from, end, spans, max);
}

int vmos_track_look(int pagemap, char **from, char *end, vmos_span_t *spans, int max)
{
    return scan(pagemap, 0, from, end, spans, max);
}

uint64_t vmos_faults(void)
{
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) != 0)
        return 0;
    return (uint64_t)u.ru_minflt + (uint64_t)u.ru_majflt;
}

#define PRESENT ((uint64_t)1 << 63)
#define SWAPPED ((uint64_t)1 << 62)
#define OFFILE ((uint64_t)1 << 61)

int vmos_pagemap_kinds(int pagemap, const void *addr, size_t n, unsigned char *kind)
{
    uint64_t words[512];
    size_t page = (uintptr_t)addr / vmos_kernelpage(), i, part;
    for (; n > 0; n -= part, page += part, kind += part) {
        part = n < 512 ? n : 512;
        if (vmos_disk_read(pagemap, words, part * 8, (uint64_t)page * 8) != (int64_t)(part * 8))
            return -1;
        for (i = 0; i < part; i++)
            kind[i] = (words[i] & (PRESENT | SWAPPED)) == 0 ? 0
                      : words[i] & OFFILE                  ? VMOS_PAGE_THERE
                                                           : VMOS_PAGE_THERE | VMOS_PAGE_OWN;
    }
    return 0;
}

/* A page of ours may be several of the kernel's. */
int vmos_pagemap_private(int pagemap, const void *addr, size_t n, unsigned char *is)
{
    unsigned char kind[512];
    size_t each = vmos_pagesize() / vmos_kernelpage(), i, k, part;
    for (; n > 0; n -= part, is += part, addr = (const char *)addr + part * vmos_pagesize()) {
        part = n < sizeof kind / each ? n : sizeof kind / each;
        if (vmos_pagemap_kinds(pagemap, addr, part * each, kind) != 0)
            return -1;
        for (i = 0; i < part; i++)
            for (is[i] = 0, k = i * each; k < (i + 1) * each; k++)
                is[i] |= (kind[k] & VMOS_PAGE_OWN) != 0;
    }
    return 0;
}
