/* SPDX-License-Identifier: MIT */
/*
 * regions: the regions under Vmdebug, by numbers that descriptors have room for.  A closed one keeps
 * its number, so that its blocks still tell what became of them, until 65,535 have been opened.
 */
#include "books.h"

#include <string.h>

#define MOST (VMDG_REGIONS - 1)
#define PERCHUNK VMDG_PERCHUNK

typedef vmdg_record_t record_t;
vmdg_record_t *vmdg_records[VMDG_REGIONS / VMDG_PERCHUNK];
uint32_t vmdg_nregions; /* numbers 1 to this are known */
static vmos_lock_t lock;

static record_t *record(uint32_t n)
{
    record_t *c = n != 0 && n <= __atomic_load_n(&vmdg_nregions, __ATOMIC_ACQUIRE)
                      ? vmdg_records[n / PERCHUNK] : NULL;
    return c != NULL ? &c[n % PERCHUNK] : NULL;
}

static record_t *another(uint32_t n)
{
    record_t **c = &vmdg_records[n / PERCHUNK];
    if (*c == NULL)
        *c = vmos_map(NULL, VMB_UP(PERCHUNK * sizeof(**c), vmos_pagesize()), VMOS_RESERVE);
    return *c != NULL ? &(*c)[n % PERCHUNK] : NULL;
}

uint32_t vmdg_region_open(Vmalloc_t *vm, uint64_t key)
{
    uint32_t stack = vmdg_here(), n;
    record_t *r;
    vmos_lock(&lock);
    n = vmdg_nregions + 1;
    r = n < MOST ? another(n) : NULL;
    if (r != NULL) {
        *r = (record_t){.vm = vm, .key = key, .open = 1, .opened = stack};
        __atomic_store_n(&vmdg_nregions, n, __ATOMIC_RELEASE);
    }
    vmos_unlock(&lock);
    return r != NULL ? n : 0;
}

void vmdg_region_cleared(uint32_t region, uint32_t stack)
{
    record_t *r = record(region);
    if (r != NULL)
        r->cleared = stack;
}

void vmdg_region_closed(uint32_t region, uint32_t stack)
{
    record_t *r = record(region);
    if (r == NULL)
        return;
    memcpy(r->name, r->vm->data->name, sizeof r->name);
    r->closed = stack;
    __atomic_store_n(&r->open, 0, __ATOMIC_RELEASE);
}

uint32_t vmdg_region_find(const Vmalloc_t *vm)
{
    uint32_t n = __atomic_load_n(&vmdg_nregions, __ATOMIC_ACQUIRE);
    while (n > 0 && record(n)->vm != vm)
        n--;
    return n;
}

int vmdg_region(uint32_t region, vmdg_region_t *out)
{
    const record_t *r = record(region);
    memset(out, 0, sizeof *out);
    if (r == NULL)
        return -1;
    out->vm = r->vm;
    out->open = __atomic_load_n(&r->open, __ATOMIC_ACQUIRE) && r->vm->data != NULL;
    memcpy(out->name, out->open ? r->vm->data->name : r->name, sizeof out->name);
    out->opened = r->opened;
    out->cleared = r->cleared;
    out->closed = r->closed;
    return 0;
}

void vmdg_regions_renew(void)
{
    lock = (vmos_lock_t){0, 0};
}
