/* SPDX-License-Identifier: MIT */
/*
 * Pages of Linux.  What kernels from 3.10 on have is used plainly; what came later is asked for
 * and missed without harm:
 *
 *   MAP_FIXED_NOREPLACE   4.17   older kernels take the address as a hint: the answer is compared
 *   MREMAP_DONTUNMAP      5.7    without it vmos_movepages() cannot
 *   MADV_POPULATE_WRITE   5.14   without it vmos_populate() does nothing
 *   PR_SET_VMA_ANON_NAME  5.17   without it vmos_name() does nothing
 *   MADV_DONTNEED_LOCKED  5.18   without it pages under mlock() cannot be purged
 *
 * Cost: one system call each, and vmos_mapalign() up to five.
 */
#define _GNU_SOURCE 1
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's numbers, which older headers lack. */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#define HUGE_SHIFT 26 /* of the size's logarithm in the flags of mmap() */

/* ---- sizes ---- */

/* VMOS_PAGESIZE: a build for tests that behaves as a system with larger pages does.  What is mapped is
 * aligned to them, lengths are rounded up to them, and other addresses are refused. */
#ifdef VMOS_PAGESIZE
#define SIMULATED ((size_t)VMOS_PAGESIZE)
#else
#define SIMULATED ((size_t)0)
#endif

/* What the system does with [addr, addr+*size): -1 (EINVAL) if addr is not at a page. */
static int wholepages(const void *addr, size_t *size)
{
    if (SIMULATED == 0)
        return 0;
    if (((uintptr_t)addr & (SIMULATED - 1)) != 0) {
        errno = EINVAL;
        return -1;
    }
    *size = (*size + SIMULATED - 1) & ~(SIMULATED - 1);
    return 0;
}

size_t vmos_kernelpage(void)
{
    size_t n = getauxval(AT_PAGESZ);
    return n != 0 ? n : 4096;
}

size_t vmos_pagesize(void)
{
    static size_t known;
    size_t n = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (VMOS_UNLIKELY(n == 0)) {
        int keep = errno;
        n = SIMULATED != 0 ? SIMULATED : vmos_kernelpage();
        errno = keep;
        __atomic_store_n(&known, n, __ATOMIC_RELAXED);
    }
    return n;
}

/* The number in a file of one number; 0 when there is none. */
static size_t readnumber(const char *path)
{
    char text[32];
    size_t value = 0;
    ssize_t n;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    n = syscall(SYS_read, fd, text, sizeof(text));
    syscall(SYS_close, fd);
    for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
        value = value * 10 + (size_t)(text[i] - '0');
    return value;
}

size_t vmos_hugesize(void)
{
    static size_t known; /* plus one */
    size_t n = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (VMOS_UNLIKELY(n == 0)) {
        int keep = errno;
        n = readnumber("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size") + 1;
        errno = keep;
        __atomic_store_n(&known, n, __ATOMIC_RELAXED);
    }
    return n - 1;
}

/* ---- mapping ---- */

static void *mappages(void *addr, size_t size, int more)
{
    size_t spare = more & (MAP_FIXED_NOREPLACE | MAP_HUGETLB) ? 0 : SIMULATED, head;
    char *p;
    if (wholepages(addr, &size) < 0)
        return MAP_FAILED;
    p = mmap(addr, size + spare, PROT_READ | PROT_WRITE, more, -1, 0);
    if ((void *)p == MAP_FAILED || spare == 0)
        return p;
    head = -(uintptr_t)p & (spare - 1);
    if (head != 0)
        munmap(p, head);
    munmap(p + head + size, spare - head);
    return p + head;
}

/* Sandboxes refuse flags that they do not know, with an error of their choice.  These can be done without: memory
 * is charged then, and whoever wants it at an address looks where it is. */
static int withless(int more)
{
    return more & (MAP_NORESERVE | MAP_FIXED_NOREPLACE) && errno != EEXIST && errno != ENOMEM;
}

/* Whatever the system's reason (EAGAIN under mlockall(), EINVAL for absurd sizes under emulators):
 * to the caller there is no memory, or the place is taken. */
static void *mapflags(void *addr, size_t size, int flags, int more)
{
    int keep = errno;
    void *p;
    more |= MAP_PRIVATE | MAP_ANONYMOUS | (flags & VMOS_RESERVE ? MAP_NORESERVE : 0);
    p = mappages(addr, size, more);
    if (p == MAP_FAILED && withless(more))
        p = mappages(addr, size, more & ~(MAP_NORESERVE | MAP_FIXED_NOREPLACE));
    if (p == MAP_FAILED) {
        errno = errno == EEXIST ? EEXIST : ENOMEM;
        return NULL;
    }
    if (flags & VMOS_SMALL)
        madvise(p, size, MADV_NOHUGEPAGE);
    errno = keep;
    return p;
}

void *vmos_map(void *hint, size_t size, int flags)
{
    return mapflags(hint, size, flags, 0);
}

void *vmos_mapat(void *addr, size_t size, int flags)
{
    void *p = mapflags(addr, size, flags, MAP_FIXED_NOREPLACE);
    if (p == NULL || p == addr)
        return p;
    munmap(p, size);
    errno = EEXIST;
    return NULL;
}

/* As much more as the worst case needs is mapped, and what is too much on both sides given back.
 * Tried first: the system often continues below an aligned mapping of the same size. */
void *vmos_mapalign(size_t size, size_t align, int flags)
{
    size_t more, head, page = vmos_pagesize();
    char *p = vmos_map(NULL, size, flags);
    if (p == NULL || ((uintptr_t)p & (align - 1)) == 0)
        return p;
    munmap(p, size);
    if (__builtin_add_overflow(size, align - page, &more)) {
        errno = ENOMEM;
        return NULL;
    }
    p = vmos_map(NULL, more, flags);
    if (p == NULL)
        return NULL;
    head = -(uintptr_t)p & (align - 1);
    if (head != 0)
        munmap(p, head);
    if (more - head > size)
        munmap(p + head + size, more - head - size);
    return p + head;
}

void *vmos_maphuge(size_t size, size_t pagesize)
{
    int log;
    if (pagesize == 0)
        pagesize = vmos_hugesize();
    if (pagesize == 0 || (pagesize & (pagesize - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    log = __builtin_ctzll(pagesize);
    return mapflags(NULL, size, 0, MAP_HUGETLB | log << HUGE_SHIFT);
}

int vmos_unmap(void *addr, size_t size)
{
    return wholepages(addr, &size) < 0 ? -1 : munmap(addr, size);
}

/* ---- what pages are like ---- */

int vmos_purge(void *addr, size_t size)
{
    int keep = errno;
    if (wholepages(addr, &size) < 0)
        return -1;
    if (madvise(addr, size, MADV_DONTNEED) == 0)
        return 0;
    if (errno != EINVAL || madvise(addr, size, MADV_DONTNEED_LOCKED) != 0)
        return -1;
    errno = keep;
    return 0;
}

int vmos_protect(void *addr, size_t size)
{
    return wholepages(addr, &size) < 0 ? -1 : mprotect(addr, size, PROT_NONE);
}

int vmos_unprotect(void *addr, size_t size)
{
    return wholepages(addr, &size) < 0 ? -1 : mprotect(addr, size, PROT_READ | PROT_WRITE);
}

int vmos_askhuge(void *addr, size_t size)
{
    return wholepages(addr, &size) < 0 ? -1 : madvise(addr, size, MADV_HUGEPAGE);
}

size_t vmos_addressmost(void)
{
    struct rlimit r;
    int keep = errno, known = getrlimit(RLIMIT_AS, &r) == 0;
    errno = keep;
    return known && r.rlim_cur < SIZE_MAX ? (size_t)r.rlim_cur : SIZE_MAX;
}

void vmos_populate(void *addr, size_t size)
{
    int keep = errno;
    madvise(addr, size, MADV_POPULATE_WRITE);
    errno = keep;
}

void vmos_name(void *addr, size_t size, const char *name)
{
    int keep = errno;
    prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, size, name);
    errno = keep;
}

int vmos_numa(void *addr, size_t size, int mode, unsigned long nodes)
{
    static const int policy[] = {2, 1, 3}; /* MPOL_BIND, MPOL_PREFERRED, MPOL_INTERLEAVE */
    if (mode < 0 || mode > 2) {
        errno = EINVAL;
        return -1;
    }
    /* the kernel reads one bit less than it is told */
    return (int)syscall(SYS_mbind, addr, size, policy[mode], &nodes, sizeof(nodes) * 8 + 1, 0);
}

/* ---- moving ---- */

/* Two moves, because one cannot fail cleanly: when mremap() is given the address, many kernels
 * unmap what is there before they find that the source is more than one mapping.  So the pages
 * first go where the kernel likes, which either works or changes nothing; they are one mapping
 * then, and the second move fails only when the process has too many.  At no moment is there a
 * hole at `from` that another thread's mmap() could fall into: that is why kernels without
 * MREMAP_DONTUNMAP are told to be unable. */
int vmos_movepages(void *to, void *from, size_t size)
{
    int keep = errno, why;
    void *mid = mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    if (mid == MAP_FAILED)
        return -1;
    if (mremap(mid, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to) {
        errno = keep;
        return 0;
    }
    why = errno;
    mremap(mid, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, from);
    vmos_mapat(to, size, VMOS_RESERVE); /* if it was unmapped already */
    errno = why;
    return -1;
}

void *vmos_sbrk(ptrdiff_t incr)
{
    void *old = sbrk(incr);
    return old == (void *)-1 ? NULL : old;
}
