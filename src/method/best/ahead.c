/* SPDX-License-Identifier: MIT */
/*
 * ahead: huge pages for memory that is about to be touched for the first time.
 *
 * A page fault costs more than all of malloc's work on the page, so a large region asks the system
 * to fill it in huge pages, which also spares the TLB.  A small one does not: half a huge page that
 * is never used would be most of it.  So huge pages begin when the pages in use come to HUGEMIN, from
 * the next huge page that is still untouched on; and a block that spans several is filled so in any case.
 *
 * They are not cheap everywhere.  A virtual machine that tells its host of free memory has to get a huge
 * page back from there, in small pages one by one: 5.1 ms for 2 MiB where one that was at hand took 0.08
 * and its small pages 0.7.  So a page that many small blocks will share is touched here, and its processor
 * time told to vmbe_ahead_took(); where it was slow, memory comes in small pages for a while, twice as long
 * each time.  That is of the machine, and so of all regions of the process alike.  Of large blocks, which
 * their program may never touch, one page in HUGEREST is.
 */
#include "best.h"

#define HUGEMIN ((size_t)16 << 20)   /* bytes in use that make a region large */
#define HUGEBLOCK ((size_t)4 << 20)  /* bytes that make a block large */
#define TOUCHMAX ((size_t)256 << 10) /* bytes of runs that are likely to be used as a whole */
#define HUGEREST ((size_t)64 << 20)  /* bytes in small pages after a huge one that was slow */

static size_t rest, next; /* bytes until the next try; how many when that is slow, too, 0: it was not */
static size_t unseen = HUGEREST; /* bytes in huge pages since one was touched here */

void vmbe_ahead_took(uint64_t ns, size_t huge)
{
    size_t n = BE_LOAD(next);
    int slow = ns > huge / 2;
    if (slow)
        BE_STORE(rest, n > 0 ? n : HUGEREST);
    if (slow || n > 0)
        BE_STORE(next, !slow ? 0 : n > 0 ? n + n : HUGEREST + HUGEREST);
}

/* Not now: n bytes come in small pages. */
static int pauses(size_t n)
{
    size_t left = BE_LOAD(rest);
    if (VMOS_LIKELY(left == 0))
        return 0;
    BE_STORE(rest, left > n ? left - n : 0);
    return 1;
}

/* Whether to touch a page of n bytes that will be in huge ones. */
static int looks(size_t n)
{
    size_t now = BE_LOAD(unseen);
    int yes = n <= TOUCHMAX || now >= HUGEREST;
    BE_STORE(unseen, yes ? 0 : now + n);
    return yes;
}

static void touch(char *page, size_t huge)
{
    uint64_t began = vmos_threadtime();
    vmos_populate(page, vmos_pagesize());
    vmbe_ahead_took(vmos_threadtime() - began, huge);
}

void vmbe_ahead(vmbe_t *be, vmbe_area_t *a, const char *from, const char *end)
{
    size_t huge = vmos_hugesize();
    int many = ((be->pages - be->freepages) << BE_SHIFT) >= VMB_MAX(HUGEMIN, 8 * huge);
    char *lo, *hi;
    if (huge == 0 || (!many && (size_t)(end - from) < HUGEBLOCK) || pauses((size_t)(end - from)))
        return;
    lo = (char *)VMB_UP(VMB_MAX((uintptr_t)from, (uintptr_t)a->huge), huge);
    hi = (char *)(many ? VMB_UP(end, huge) : VMB_DOWN(end, huge));
    hi = VMB_MIN(hi, (char *)VMB_DOWN(a->last, huge));
    if (hi <= lo || vmos_askhuge(lo, huge) != 0)
        return;
    a->huge = lo + huge;
    if (looks((size_t)(end - from)))
        touch(lo, huge);
    if (hi > a->huge && BE_LOAD(rest) == 0 && vmos_askhuge(a->huge, (size_t)(hi - a->huge)) == 0)
        a->huge = hi;
}
