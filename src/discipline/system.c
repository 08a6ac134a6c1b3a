/* SPDX-License-Identifier: MIT */
/*
 * Vmdcsystem: memory of the system, taken page by page and returned to it.
 *
 * A segment grows in place while the addresses behind it are free, and shrinks and goes in whole
 * pages.  Holds no state: one object serves all regions and threads, and copies of it work.
 * Cost: one or two system calls a request.
 */
#include "discipline_tables.h"
#include "pages.h"
#include "request.h"

#define NAME "vmalloc"

Void_t *vmdc_system_memoryf(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    (void)vm, (void)disc;
    switch (vmdc_request(addr, csize, nsize)) {
    case VMDC_GET:
        return vmdc_pages_get(nsize, NAME);
    case VMDC_GROW:
        return vmdc_pages_grow(addr, csize, nsize, NAME) < 0 ? NULL : addr;
    case VMDC_SHRINK:
    case VMDC_RELEASE:
        return vmdc_pages_shrink(addr, csize, nsize, vmos_pagesize()) < 0 ? NULL : addr;
    case VMDC_NONE:
        break;
    }
    return NULL;
}

int vmdc_system_purge(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc)
{
    (void)vm, (void)disc;
    return vmdc_pages_purge(addr, size, vmos_pagesize());
}

Vmdisc_t vmdc_system = {vmdc_system_memoryf, NULL, 0, sizeof(Vmdisc_t)};
