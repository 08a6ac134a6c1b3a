/* SPDX-License-Identifier: MIT */
/*
 * book: which regions a checker is told of, and what their blocks' sizes are.
 *
 *   slot[hash of the address] -> block -> block        region.newest -> block -> older -> ...
 *
 * Two tables of chains, that of the blocks doubled when it has as many blocks as chains.  The memory is
 * pages of the system, cut from the front; what is dropped is used again, and nothing is given back.
 */
#include "checker.h"

#define CHUNK 262144u
#define REGIONS 256u

vmos_lock_t vmr_toldlock;
static vmck_region_t *regions[REGIONS], *freeregions;
static vmck_block_t **slots, *freeblocks;
static size_t nslots, nblocks;
static char *fresh, *freshend;

static size_t hash(const void *p, size_t n)
{
    return (size_t)((uint64_t)(uintptr_t)p * 0x9e3779b97f4a7c15ULL >> 20) & (n - 1);
}

static const void *addrof(const vmck_block_t *b)
{
    return (const void *)~b->hidden;
}

/* ---- memory; n is less than CHUNK and a multiple of VM_ALIGN ---- */

static void *piece(size_t n)
{
    char *p = fresh;

    if ((size_t)(freshend - fresh) < n) {
        p = vmos_map(NULL, CHUNK, 0);
        if (p == NULL)
            return NULL;
        freshend = p + CHUNK;
    }
    fresh = p + n;
    return p;
}

static int enlarge(void)
{
    size_t n = nslots == 0 ? CHUNK / sizeof *slots : nslots * 2, i;
    vmck_block_t **more = vmos_map(NULL, n * sizeof *more, 0), *b, *next;

    if (more == NULL)
        return -1;
    for (i = 0; i < nslots; i++)
        for (b = slots[i]; b != NULL; b = next) {
            next = b->next;
            b->next = more[hash(addrof(b), n)];
            more[hash(addrof(b), n)] = b;
        }
    if (nslots > 0)
        vmos_unmap(slots, nslots * sizeof *slots);
    slots = more;
    nslots = n;
    return 0;
}

/* ---- under the lock ---- */

static vmck_block_t **find(const vmck_region_t *r, const void *p)
{
    vmck_block_t **at = nslots > 0 ? &slots[hash(p, nslots)] : NULL;

    while (at != NULL && *at != NULL && (addrof(*at) != p || (*at)->region != r))
        at = &(*at)->next;
    return at != NULL && *at != NULL ? at : NULL;
}

static vmck_block_t *newblock(void)
{
    vmck_block_t *b = freeblocks;

    if (nblocks >= nslots && enlarge() < 0 && nslots == 0)
        return NULL;
    if (b != NULL)
        freeblocks = b->next;
    else
        b = piece(VMB_UP(sizeof *b, VM_ALIGN));
    return b;
}

static void enter(vmck_region_t *r, vmck_block_t *b, const void *p, size_t size)
{
    size_t i = hash(p, nslots);

    *b = (vmck_block_t){slots[i], NULL, r->newest, r, ~(uintptr_t)p, size};
    if (r->newest != NULL)
        r->newest->newer = b;
    slots[i] = r->newest = b;
    nblocks++;
}

static void drop(vmck_block_t **at)
{
    vmck_block_t *b = *at;

    *at = b->next;
    if (b->newer != NULL)
        b->newer->older = b->older;
    else
        b->region->newest = b->older;
    if (b->older != NULL)
        b->older->newer = b->newer;
    b->next = freeblocks;
    freeblocks = b;
    nblocks--;
}

/* ---- blocks ---- */

int vmck_note(vmck_region_t *r, const void *p, size_t size)
{
    vmck_block_t *b;

    vmos_lock(&vmr_toldlock);
    b = newblock();
    if (b != NULL)
        enter(r, b, p, size);
    vmos_unlock(&vmr_toldlock);
    return b != NULL ? 0 : -1;
}

long vmck_size(const vmck_region_t *r, const void *p)
{
    vmck_block_t **at;
    long size;

    vmos_lock(&vmr_toldlock);
    at = find(r, p);
    size = at != NULL ? (long)(*at)->size : -1;
    vmos_unlock(&vmr_toldlock);
    return size;
}

void vmck_resize(const vmck_region_t *r, const void *p, size_t size)
{
    vmck_block_t **at;

    vmos_lock(&vmr_toldlock);
    at = find(r, p);
    if (at != NULL)
        (*at)->size = size;
    vmos_unlock(&vmr_toldlock);
}

int vmck_drop(vmck_region_t *r, const void *p)
{
    vmck_block_t **at;

    vmos_lock(&vmr_toldlock);
    at = find(r, p);
    if (at != NULL)
        drop(at);
    vmos_unlock(&vmr_toldlock);
    return at != NULL;
}

const void *vmck_newest(const vmck_region_t *r, size_t *size)
{
    const vmck_block_t *b;

    vmos_lock(&vmr_toldlock);
    b = r->newest;
    *size = b != NULL ? b->size : 0;
    vmos_unlock(&vmr_toldlock);
    return b != NULL ? addrof(b) : NULL;
}

/* ---- regions ---- */

vmck_region_t *vmck_add(const Vmdata_t *data, const Vmethod_t *plain)
{
    size_t i = hash(data, REGIONS);
    vmck_region_t *r;

    vmos_lock(&vmr_toldlock);
    r = freeregions;
    if (r != NULL)
        freeregions = r->next;
    else
        r = piece(VMB_UP(sizeof *r, VM_ALIGN));
    if (r != NULL) {
        *r = (vmck_region_t){regions[i], data, *plain, NULL};
        regions[i] = r;
    }
    vmos_unlock(&vmr_toldlock);
    return r;
}

vmck_region_t *vmck_region(const Vmdata_t *data)
{
    vmck_region_t *r;

    vmos_lock(&vmr_toldlock);
    for (r = regions[hash(data, REGIONS)]; r != NULL && r->data != data; r = r->next)
        continue;
    vmos_unlock(&vmr_toldlock);
    return r;
}

void vmck_remove(vmck_region_t *r)
{
    vmck_region_t **at = &regions[hash(r->data, REGIONS)];

    vmos_lock(&vmr_toldlock);
    while (r->newest != NULL)
        drop(find(r, addrof(r->newest)));
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    r->next = freeregions;
    freeregions = r;
    vmos_unlock(&vmr_toldlock);
}
