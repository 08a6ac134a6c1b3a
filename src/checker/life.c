/* SPDX-License-Identifier: MIT */
/*
 * life: what a checker is told when regions open, are emptied and close.
 *
 *   opened    a pool of its own
 *   emptied   all its blocks are free
 *   closed    the pool goes; the segments, which go back to their discipline, are plain memory
 *   the end   what the regions lead to is not lost
 */
#include "checker.h"

#include <string.h>

/* The user's word, VMTOOLS=off. */
static int unwanted(void)
{
    const char *word = vmos_getenv("VMTOOLS");

    return word != NULL && (strcmp(word, "off") == 0 || strcmp(word, "0") == 0);
}

/* Whether there is anybody to tell; looked for once. */
static int anybody(void)
{
    static int known; /* 1: none, 2: there is */
    int k = __atomic_load_n(&known, __ATOMIC_RELAXED);

    if (VMOS_UNLIKELY(k == 0)) {
        k = !unwanted() && vmos_checkers_find() != 0 ? 2 : 1;
        __atomic_store_n(&known, k, __ATOMIC_RELAXED);
    }
    return k == 2;
}

/* Whose memory is this process' for as long as the region stands, and whose method does not look after
 * errors by itself. */
static int suitable(Vmalloc_t *vm)
{
    return !vmr_shared(vm) && !(vmr_dcflags(vm) & (VM_DCKEPT | VM_DCSHARED)) &&
           !(vm->meth.meth & (VM_MTDEBUG | VM_MTPROFILE));
}

/* AddressSanitizer looks for leaks after this, and not by itself into memory that was mapped. */
static void lead(Vmalloc_t *vm)
{
    const Vmseg_t *seg;

    for (seg = vm->data->segs; seg != NULL; seg = seg->next)
        vmos_checker_root(seg->addr, seg->extent);
}

static void ending(void)
{
    vmr_each(lead);
}

void vmck_first(void)
{
    static int was;

    if (!__atomic_load_n(&was, __ATOMIC_RELAXED) && !__atomic_exchange_n(&was, 1, __ATOMIC_RELAXED))
        vmos_checker_atend(ending);
}

static void opened(Vmalloc_t *vm)
{
    vmck_region_t *r;

    if (VMOS_LIKELY(!anybody()) || !suitable(vm))
        return;
    r = vmck_add(vm->data, &vm->meth);
    if (r == NULL)
        return;
    __atomic_store_n(&vmr_told, 1, __ATOMIC_RELAXED);
    vmos_checker_pool(r->data);
    vmck_wrap(vm);
}

static void cleared(Vmalloc_t *vm)
{
    vmck_region_t *r = vmck_region(vm->data);
    const void *p;
    size_t size;

    if (r == NULL)
        return;
    while ((p = vmck_newest(r, &size)) != NULL) {
        vmos_checker_free(r->data, p, size);
        vmck_drop(r, p);
    }
}

/* whole: the segments are there still; else they went with the region around them, or have been
 * used for another since. */
static void closed(Vmalloc_t *vm, int whole)
{
    vmck_region_t *r = vmck_region(vm->data);
    const Vmseg_t *seg;
    const void *p;
    size_t size;

    if (r == NULL)
        return;
    vmos_checker_unpool(r->data); /* which makes its blocks such that they are not to be touched */
    while ((p = vmck_newest(r, &size)) != NULL) {
        vmos_checker_plain((const char *)p - VMOS_FENCE, size + 2 * VMOS_FENCE, 1);
        vmck_drop(r, p);
    }
    vmck_remove(r);
    for (seg = whole ? vm->data->segs : NULL; seg != NULL; seg = seg->next)
        vmos_checker_plain(seg->addr, seg->extent, 1);
}

/* Memory was got.  Where it is a block that a program allocated for it, the block is no more one. */
static void got(Vmalloc_t *vm, const char *addr)
{
    Vmalloc_t *outer = NULL;
    vmck_region_t *r;
    long off, size;

    if (vmr_segof(addr, &outer) == NULL || outer == NULL || outer == vm)
        return;
    r = vmck_region(outer->data);
    off = r != NULL ? (*r->plain.addrf)(outer, (Void_t *)(uintptr_t)addr, 0) : -1;
    size = off >= 0 ? vmck_size(r, addr - off) : -1;
    if (size < 0)
        return;
    vmck_drop(r, addr - off);
    vmos_checker_free(r->data, addr - off, 0);
    vmos_checker_plain(addr - off, (size_t)size, 0);
}

/* vmrelease(): the newest blocks are none any more. */
static void released(Vmalloc_t *vm)
{
    vmck_region_t *r = vmck_region(vm->data);
    const void *p;
    size_t size;

    vmr_hush();
    while (r != NULL && (p = vmck_newest(r, &size)) != NULL &&
           (*r->plain.sizef)(vm, (Void_t *)(uintptr_t)p, 0) < 0) {
        vmos_checker_free(r->data, p, size);
        vmck_drop(r, p);
    }
    vmr_unhush();
}

/* Blocks that are not in the book are the library's, or in Vmlast what was left by a move. */
static int busy(Vmalloc_t *vm, const void *p, size_t *size)
{
    const vmck_region_t *r = vmck_region(vm->data);
    long known = r != NULL ? vmck_size(r, p) : -1;

    if (r == NULL)
        return 1;
    *size = known >= 0 ? (size_t)known : *size - VMB_MIN(*size, VMOS_FENCE);
    return known >= 0 || !(r->plain.meth & VM_MTLAST);
}

const vmr_checker_t vmck_checker = {opened, cleared, closed, got, released, busy};
