/* SPDX-License-Identifier: MIT */
/*
 * align: blocks at addresses of the caller's choice.
 *
 * A slab begins at a page, and its blocks follow each other.  A size that is a multiple of a power
 * of two has a class whose size is one, too: class sizes of a doubling are the multiples of its
 * eighth, so if the power is a multiple of that eighth the size has a class of its own, else all
 * of these are multiples of the power.  So up to the page size, a block of the lane for the size
 * rounded up to align is aligned, at the cost of malloc().  Everything else is for the region.
 */
#include "debugged.h"
#include "malloc.h"

static int ispower(size_t x)
{
    return (x & (x - 1)) == 0;
}

void *vmma_align(size_t align, size_t size, vmdg_family_t family)
{
    void *p;
    if (VMOS_UNLIKELY(vmma_debugged()))
        return vmma_debug_alloc(size, align, 0, family);
    if (align <= VM_ALIGN && ispower(align)) /* a sample knows whose call it was, which malloc() does not */
        return VMOS_UNLIKELY(vmma_sampler != NULL) ? vmma_allocas(size, family) : vmma_malloc(size);
    if (size == 0)
        size = 1;
    if (VMOS_LIKELY(ispower(align) && align <= BE_PAGE && size <= BE_TABLEMAX)) {
        p = vmma_take(VMB_UP(size, align));
        if (VMOS_LIKELY(p != NULL))
            return p;
    }
    return vmma_alignslow(align, size, family);
}

/* Any alignment; no multiple of a power of two is asked for.  0 is none, as for the GNU C library. */
void *memalign(size_t align, size_t size)
{
    if (VMOS_UNLIKELY(align == 0 || !ispower(align)))
        vmma_badalign("memalign", align);
    return vmma_align(align != 0 ? align : 1, size, VMDG_MEMALIGN);
}

/* Any but 0. */
void *aligned_alloc(size_t align, size_t size)
{
    if (VMOS_UNLIKELY(align == 0 || !ispower(align)))
        vmma_badalign("aligned_alloc", align);
    if (VMOS_UNLIKELY(align == 0)) {
        errno = EINVAL;
        return NULL;
    }
    return vmma_align(align, size, VMDG_ALIGNED);
}

int posix_memalign(void **memptr, size_t align, size_t size)
{
    int e = errno;
    void *p;
    if (VMOS_UNLIKELY(align % sizeof(void *) != 0 || !ispower(align) || align == 0)) {
        vmma_badalign("posix_memalign", align);
        return EINVAL;
    }
    p = vmma_align(align, size, VMDG_POSIX);
    errno = e;
    if (p == NULL)
        return ENOMEM;
    *memptr = p;
    return 0;
}

void *valloc(size_t size)
{
    return vmma_align(vmos_pagesize(), size, VMDG_VALLOC);
}

/* Whole pages; 0 is rounded up to one. */
void *pvalloc(size_t size)
{
    size_t page = vmos_pagesize(), whole = VMB_UP(size + (size == 0), page);
    if (whole < size)
        return vmma_overflow("pvalloc", size, page);
    return vmma_align(page, whole, VMDG_PVALLOC);
}
