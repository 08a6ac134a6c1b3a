/* SPDX-License-Identifier: MIT */
/*
 * vmdchuge(): memory on huge pages, from the best source there is.
 *
 *   1. explicit huge pages, set aside by the administrator
 *   2. ordinary pages, aligned, that the system is asked to merge    VM_HUGETHP and VM_HUGEANY
 *   3. the same, where the system cannot merge                       VM_HUGEANY
 *
 * Segments are got, cut and purged in multiples of the page size, so that no huge page is ever
 * split.  They do not grow: a segment has pages of one kind.  The statistics count what was got
 * since the discipline was made.  Cost: two or three system calls a request.
 */
#include "made.h"
#include "pages.h"
#include "request.h"
#include <errno.h>

#define NAME "vmalloc huge"

typedef struct huge {
    vmdc_made_t made;
    size_t pagesize; /* of explicit huge pages, as the user said */
    size_t unit;     /* the same in bytes */
    size_t align;    /* of memory that is to be merged */
    int fallback;
    Vmhugestat_t got;
} huge_t;

static void *count(void *addr, size_t size, size_t *got)
{
    if (addr) {
        vmos_name(addr, size, NAME);
        __atomic_fetch_add(got, size, __ATOMIC_RELAXED);
    }
    return addr;
}

static void *ordinary(huge_t *h, size_t size)
{
    void *addr = vmos_mapalign(size, h->align, VMOS_RESERVE);

    if (addr && vmos_askhuge(addr, size) == 0)
        return count(addr, size, &h->got.thp);
    if (addr && h->fallback == VM_HUGETHP) {
        vmos_unmap(addr, size);
        addr = NULL;
    }
    return count(addr, size, &h->got.plain);
}

static void *get(huge_t *h, size_t nsize)
{
    size_t size = vmb_round(nsize, h->unit);
    void *addr = size ? vmos_maphuge(size, h->pagesize) : NULL;

    if (addr)
        return count(addr, size, &h->got.huge);
    if (size && h->fallback != VM_HUGEONLY)
        addr = ordinary(h, size);
    if (addr == NULL)
        errno = ENOMEM;
    return addr;
}

static Void_t *memory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    huge_t *h = (huge_t *)disc;

    (void)vm;
    switch (vmdc_request(addr, csize, nsize)) {
    case VMDC_GET:
        return get(h, nsize);
    case VMDC_SHRINK:
    case VMDC_RELEASE:
        return vmdc_pages_shrink(addr, csize, nsize, h->unit) < 0 ? NULL : addr;
    case VMDC_GROW:
    case VMDC_NONE:
        break;
    }
    return NULL;
}

static int purge(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc)
{
    (void)vm;
    return vmdc_pages_purge(addr, size, ((huge_t *)disc)->unit);
}

Vmdisc_t *vmdchuge(size_t pagesize, int fallback)
{
    size_t page = vmos_pagesize(), thp = VMB_MAX(vmos_hugesize(), page);
    huge_t *h;

    if (fallback < VM_HUGEONLY || fallback > VM_HUGEANY ||
        (pagesize && (pagesize < page || (pagesize & (pagesize - 1))))) {
        errno = EINVAL;
        return NULL;
    }
    h = vmdc_make(vmr_heap(), sizeof *h, memory);
    if (h == NULL)
        return NULL;
    h->pagesize = pagesize;
    h->unit = pagesize ? pagesize : thp;
    h->align = thp;
    h->fallback = fallback;
    h->made.more.disc.round = h->unit;
    h->made.more.flags = VM_DCZERO;
    h->made.more.align = VMB_MIN(h->unit, h->align);
    h->made.more.purgef = purge;
    h->made.more.name = NAME;
    return &h->made.more.disc;
}

int vmdchugestat(Vmdisc_t *disc, Vmhugestat_t *st)
{
    huge_t *h = vmdc_made(disc, memory);

    if (h == NULL || st == NULL) {
        errno = EINVAL;
        return -1;
    }
    st->huge = __atomic_load_n(&h->got.huge, __ATOMIC_RELAXED);
    st->thp = __atomic_load_n(&h->got.thp, __ATOMIC_RELAXED);
    st->plain = __atomic_load_n(&h->got.plain, __ATOMIC_RELAXED);
    return 0;
}
