/* SPDX-License-Identifier: MIT */
/*
 * break: memory from sbrk(), and from Vmdcsystem when that refuses.
 *
 *   low                              break
 *    |  ours  | somebody's |  ours  |          only what ends at the break can grow, shrink or go
 *
 * Segments begin at a page; what lies above the break was never written, so they read as zeros.
 * Requests come under the lock of a region; a lock of our own serves several regions.
 */
#include "break.h"
#include "base.h"

static vmos_lock_t lock;
static char *low; /* our lowest address, NULL: none yet */

/* The break moved from `from` by n bytes: from, or NULL when it was elsewhere or cannot move. */
static char *moved(char *from, ptrdiff_t n)
{
    char *got = vmos_sbrk(n);
    if (got == NULL || got == from)
        return got;
    vmos_sbrk(-n); /* somebody else was quicker */
    return NULL;
}

static char *get(size_t size)
{
    char *now = vmos_sbrk(0), *start = (char *)VMB_UP(now, vmos_pagesize());
    if (now == NULL || size > PTRDIFF_MAX - vmos_pagesize() ||
        moved(now, (ptrdiff_t)size + (start - now)) == NULL)
        return NULL;
    if (low == NULL)
        low = start;
    return start;
}

/* From csize to nsize bytes, 0 to release. */
static char *resize(char *addr, size_t csize, size_t nsize)
{
    char *end = addr + csize;
    if (end != vmos_sbrk(0) || nsize > PTRDIFF_MAX)
        return NULL;
    return moved(end, (ptrdiff_t)nsize - (ptrdiff_t)csize) != NULL ? addr : NULL;
}

static int isours(char *addr)
{
    return low != NULL && addr >= low && addr < (char *)vmos_sbrk(0);
}

static Void_t *memory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    int ours;
    char *p;
    (void)disc;
    vmos_lock(&lock);
    ours = addr == NULL || isours(addr);
    p = !ours ? NULL : addr == NULL ? get(nsize) : resize(addr, csize, nsize);
    vmos_unlock(&lock);
    if (p != NULL || (ours && addr != NULL))
        return p;
    return (*Vmdcsystem->memoryf)(vm, addr, csize, nsize, Vmdcsystem);
}

/* Whole pages inside go back and read as zeros. */
static int purge(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc)
{
    uintptr_t page = vmos_pagesize();
    uintptr_t from = VMB_UP(addr, page), to = VMB_DOWN((char *)addr + size, page);
    (void)vm, (void)disc;
    if (from >= to || vmos_purge((void *)from, to - from) < 0)
        return -1;
    return to - from == size;
}

Vmdiscmore_t vmma_break = {
    .disc = {memory, NULL, 0, sizeof(Vmdiscmore_t)},
    .tag = VM_DCMORE,
    .flags = VM_DCZERO | VM_DCRESERVE,
    .purgef = purge,
    .name = "break",
};
