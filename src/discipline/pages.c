/* SPDX-License-Identifier: MIT */
/*
 * Segments made of whole pages of the system; see pages.h.
 */
#include "pages.h"
#include <errno.h>
#include <string.h>

void *vmdc_pages_get(size_t size, const char *name)
{
    size_t whole = vmb_round(size, vmos_pagesize());
    void *addr;

    if (whole == 0) { /* size overflows */
        errno = ENOMEM;
        return NULL;
    }
    addr = vmos_map(NULL, whole, VMOS_RESERVE);
    if (addr)
        vmos_name(addr, whole, name);
    return addr;
}

int vmdc_pages_grow(void *addr, size_t csize, size_t nsize, const char *name)
{
    size_t have = vmb_round(csize, vmos_pagesize());
    size_t want = vmb_round(nsize, vmos_pagesize());
    char *end = (char *)addr + have;

    if (want == have)
        return 0;
    if (want < have) { /* nsize overflows */
        errno = ENOMEM;
        return -1;
    }
    if (vmos_mapat(end, want - have, VMOS_RESERVE) == NULL)
        return -1;
    vmos_name(end, want - have, name);
    return 0;
}

int vmdc_pages_shrink(void *addr, size_t csize, size_t nsize, size_t unit)
{
    size_t have = vmb_round(csize, unit), keep = vmb_round(nsize, unit);

    if (keep < have && vmos_unmap((char *)addr + keep, have - keep) < 0)
        return -1;
    /* What is cut from the last page comes back cleared when the segment grows again. */
    if (nsize < csize && nsize < keep)
        memset((char *)addr + nsize, 0, VMB_MIN(csize, keep) - nsize);
    return 0;
}

int vmdc_pages_purge(void *addr, size_t size, size_t unit)
{
    uintptr_t from = (uintptr_t)addr, to = from + size;
    uintptr_t first = VMB_UP(from, unit), last = VMB_DOWN(to, unit);

    if (first >= last || first < from || vmos_purge((void *)first, last - first) < 0)
        return -1;
    return first == from && last == to;
}
