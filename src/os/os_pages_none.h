/* SPDX-License-Identifier: MIT */
/*
 * Functions on pages for which neither Windows nor every Unix has anything: no huge pages, no moving, no
 * names, no memory policy, no break, no limit of addresses.  Included by the one file of the platform, os_pages_posix.c or
 * os_pages_win32.c.
 */
#ifndef VM_OS_PAGES_NONE_H
#define VM_OS_PAGES_NONE_H 1

#include "os.h"

#include <errno.h>

static int cannot(void)
{
    errno = ENOTSUP;
    return -1;
}

size_t vmos_hugesize(void)
{
    return 0;
}

void *vmos_maphuge(size_t size, size_t pagesize)
{
    (void)size, (void)pagesize;
    cannot();
    return NULL;
}

int vmos_askhuge(void *addr, size_t size)
{
    (void)addr, (void)size;
    return cannot();
}

void vmos_populate(void *addr, size_t size)
{
    (void)addr, (void)size;
}

size_t vmos_addressmost(void)
{
    return SIZE_MAX;
}

int vmos_movepages(void *to, void *from, size_t size)
{
    (void)to, (void)from, (void)size;
    return cannot();
}

void vmos_name(void *addr, size_t size, const char *name)
{
    (void)addr, (void)size, (void)name;
}

int vmos_numa(void *addr, size_t size, int mode, unsigned long nodes)
{
    (void)addr, (void)size, (void)mode, (void)nodes;
    return cannot();
}

void *vmos_sbrk(ptrdiff_t incr)
{
    (void)incr;
    cannot();
    return NULL;
}

#endif
