/* SPDX-License-Identifier: MIT */
/*
 * ahead: huge pages for memory that is about to be touched for the first time.
 *
 * A page fault costs more than all of malloc's work on the page, so a large region asks the system
 * to fill it in huge pages, which also spares the TLB.  A small one does not: half a huge page that
 * is never used would be most of it.  So huge pages begin when the pages in use come to HUGEMIN, from
 * the next huge page that is still untouched on, in steps that grow with the region; and a block
 * that spans several is filled so in any case.
 */
#include "best.h"

#define HUGEMIN ((size_t)8 << 20)   /* bytes in use that make a region large */
#define HUGEBLOCK ((size_t)4 << 20)  /* bytes that make a block large */

void vmbe_ahead(vmbe_t *be, vmbe_area_t *a, const char *from, const char *end)
{
    size_t huge = vmos_hugesize(), used = (be->pages - be->freepages) << BE_SHIFT;
    int many = used >= HUGEMIN;
    char *lo, *hi;
    if (huge == 0 || (!many && (size_t)(end - from) < HUGEBLOCK))
        return;
    lo = (char *)VMB_UP(VMB_MAX((uintptr_t)from, (uintptr_t)a->huge), huge);
    hi = (char *)VMB_DOWN(end, huge);
    if (many && end > lo)
        hi = (char *)VMB_UP(end + used / 16, huge);
    hi = VMB_MIN(hi, (char *)VMB_DOWN(a->last, huge));
    if (hi > lo && vmos_askhuge(lo, (size_t)(hi - lo)) == 0)
        a->huge = hi;
}
