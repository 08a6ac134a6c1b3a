/* SPDX-License-Identifier: MIT */
/*
 * Pages of any Unix with mmap() and MAP_ANON.  Each answer is right, some are "cannot": no huge
 * pages, no moving, no names, no memory policy, no break.
 *
 * Purging maps fresh pages over the old ones, since advice to drop pages need not clear them
 * elsewhere: what purged pages were protected against is forgotten.
 */
#define _DEFAULT_SOURCE 1
#define _DARWIN_C_SOURCE 1
#include "os_pages_none.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

size_t vmos_pagesize(void)
{
    static size_t known;
    size_t n = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (VMOS_UNLIKELY(n == 0)) {
        long asked = sysconf(_SC_PAGESIZE);
        n = asked > 0 ? (size_t)asked : 4096;
        __atomic_store_n(&known, n, __ATOMIC_RELAXED);
    }
    return n;
}

size_t vmos_kernelpage(void)
{
    return vmos_pagesize();
}

/* ---- mapping ---- */

void *vmos_map(void *hint, size_t size, int flags)
{
    int more = flags & VMOS_RESERVE ? MAP_NORESERVE : 0;
    void *p = mmap(hint, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | more, -1, 0);
    if (p != MAP_FAILED)
        return p;
    errno = ENOMEM; /* whatever the system's reason */
    return NULL;
}

/* Without MAP_FIXED: an address that is free is honoured, and one that is not stays as it is. */
void *vmos_mapat(void *addr, size_t size, int flags)
{
    void *p = vmos_map(addr, size, flags);
    if (p == NULL || p == addr)
        return p;
    munmap(p, size);
    errno = EEXIST;
    return NULL;
}

/* As much more as the worst case needs is mapped, and what is too much on both sides given back. */
void *vmos_mapalign(size_t size, size_t align, int flags)
{
    size_t more, head;
    char *p;
    if (__builtin_add_overflow(size, align - vmos_pagesize(), &more)) {
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

int vmos_unmap(void *addr, size_t size)
{
    return munmap(addr, size);
}

/* ---- what pages are like ---- */

int vmos_purge(void *addr, size_t size)
{
    void *p = mmap(addr, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANON | MAP_FIXED | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? -1 : 0;
}

int vmos_protect(void *addr, size_t size)
{
    return mprotect(addr, size, PROT_NONE);
}

int vmos_unprotect(void *addr, size_t size)
{
    return mprotect(addr, size, PROT_READ | PROT_WRITE);
}
