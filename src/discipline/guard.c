/* SPDX-License-Identifier: MIT */
/*
 * vmdcguard(): memory of the system between inaccessible pages.
 *
 *   | guard page | slack | segment ............ | guard page |
 *                ^ page  ^ addr                 ^ page
 *
 * The segment ends at the guard behind it (but for what alignment to VM_ALIGN leaves), so an overrun
 * faults at its first byte; slack, less than a page, is there when the size is no multiple of the
 * page size.  Segments do not grow; they shrink by whole pages, so that the end stays at a guard.
 * Holds no state.  Cost: four system calls a segment, and two pages of addresses.
 */
#include "made.h"
#include "pages.h"
#include "request.h"
#include <errno.h>

#define NAME "vmalloc guard"

/* Of the pages that the segment touches. */
static char *firstpage(const void *addr)
{
    return (char *)VMB_DOWN(addr, vmos_pagesize());
}
static char *lastend(const void *addr, size_t size)
{
    return (char *)VMB_UP((uintptr_t)addr + size, vmos_pagesize());
}

static void *get(size_t size)
{
    size_t page = vmos_pagesize(), pages = vmb_round(size, page), whole;
    char *map;

    if (pages == 0 || vmb_addover(pages, 2 * page, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    map = vmos_map(NULL, whole, 0);
    if (map == NULL)
        return NULL;
    if (vmos_protect(map, page) < 0 || vmos_protect(map + page + pages, page) < 0) {
        vmos_unmap(map, whole);
        return NULL;
    }
    vmos_name(map, whole, NAME);
    return (void *)VMB_DOWN(map + page + pages - size, VM_ALIGN);
}

/* The first page of what goes becomes the guard, the pages behind it and the old guard go. */
static int shrink(char *addr, size_t csize, size_t nsize)
{
    size_t page = vmos_pagesize();
    char *guard = lastend(addr, nsize), *old = lastend(addr, csize);

    if ((csize - nsize) % page != 0)
        return -1;
    if (guard == old)
        return 0;
    if (vmos_protect(guard, page) < 0)
        return -1;
    if (vmos_unmap(guard + page, (size_t)(old - guard)) < 0) {
        vmos_unprotect(guard, page);
        return -1;
    }
    if (vmos_purge(guard, page) == 0)
        vmos_protect(guard, page); /* purging may forget that it was */
    return 0;
}

static int release(char *addr, size_t csize)
{
    size_t page = vmos_pagesize();
    char *map = firstpage(addr) - page;

    return vmos_unmap(map, (size_t)(lastend(addr, csize) - map) + page);
}

static Void_t *memory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    (void)vm, (void)disc;
    switch (vmdc_request(addr, csize, nsize)) {
    case VMDC_GET:
        return get(nsize);
    case VMDC_SHRINK:
        return shrink(addr, csize, nsize) < 0 ? NULL : addr;
    case VMDC_RELEASE:
        return release(addr, csize) < 0 ? NULL : addr;
    case VMDC_GROW:
    case VMDC_NONE:
        break;
    }
    return NULL;
}

static int purge(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc)
{
    (void)vm, (void)disc;
    return vmdc_pages_purge(addr, size, vmos_pagesize());
}

Vmdisc_t *vmdcguard(void)
{
    vmdc_made_t *made = vmdc_make(vmr_heap(), sizeof *made, memory);

    if (made == NULL)
        return NULL;
    made->more.flags = VM_DCZERO;
    made->more.align = VM_ALIGN;
    made->more.purgef = purge;
    made->more.name = NAME;
    return &made->more.disc;
}
