/* SPDX-License-Identifier: MIT */
/*
 * place: where an image lies in memory, and which page of the file is where.
 *
 *   low                                          base                 base + limit
 *   | leaf n-1 | ... | leaf 1 | leaf 0 | meta |  span 0 | span 1 | ...
 *
 * base is a multiple of what a leaf speaks for, so the leaves of an image speak for nothing else.  The
 * addresses before base that leaves and meta pages take belong to no segment.
 *
 * Where bases are: in slots of 128 GiB from 17 TiB on, where no system puts anything by itself; under
 * tools that have other plans with those, from 1 TiB on.  The image's random number chooses.
 * Cost of opening: a few system calls, and two for each GiB that the file has.
 */
#include "image.h"

#include <errno.h>

#define WIDE (sizeof(void *) > 4)
#define GIB ((uint64_t)1 << (WIDE ? 30 : 20))

typedef struct range {
    uint64_t from, slots;
} range_t;

#if defined(__SANITIZE_THREAD__) /* which knows of addresses up to 512 GiB, and some high ones */
#define SLOT (32 * GIB)
#define DEFAULTLIMIT ((size_t)(16 * GIB))
static const range_t ranges[] = {{96 * GIB, 12}};
#else
#define SLOT ((WIDE ? 128 : 64) * GIB)
#define DEFAULTLIMIT ((size_t)((WIDE ? 64 : 32) * GIB))
static const range_t ranges[] = {
    {(WIDE ? 17 * 1024 : 1280) * GIB, WIDE ? 448 : 8},
    {(WIDE ? 1024 : 768) * GIB, 7},
    {(WIDE ? 128 : 512) * GIB, 2},
};
#endif

/* The front of a slot, for leaves and meta pages: a leaf is a 512th of what it speaks for. */
#define FRONT (SLOT / (WIDE ? 32 : 8))

uint64_t vmi_pageof(const vmi_t *img, const void *addr)
{
    size_t unit = img->leaf + img->span, page;
    if ((const char *)addr >= img->base) {
        page = (size_t)((const char *)addr - img->base) / img->psize;
        return img->meta + page / img->span * unit + img->leaf + page % img->span;
    }
    page = (size_t)(img->base - (const char *)addr + (ptrdiff_t)img->psize - 1) / img->psize; /* before base, from 1 */
    if (page <= img->meta)
        return img->meta - page;
    page -= img->meta + 1;
    return img->meta + page / img->leaf * unit + (img->leaf - 1 - page % img->leaf);
}

char *vmi_addrof(const vmi_t *img, uint64_t page)
{
    size_t unit = img->leaf + img->span, g, r;
    if (page < img->meta)
        return img->base - (img->meta - page) * img->psize;
    g = (page - img->meta) / unit;
    r = (page - img->meta) % unit;
    if (r < img->leaf)
        return img->base - (img->meta + (g + 1) * img->leaf - r) * img->psize;
    return img->base + (g * img->span + (r - img->leaf)) * img->psize;
}

uint64_t vmi_run(const vmi_t *img, uint64_t page)
{
    size_t unit = img->leaf + img->span, r;
    if (page < img->meta)
        return img->meta - page;
    r = (page - img->meta) % unit;
    return r < img->leaf ? img->leaf - r : unit - r;
}

uint64_t vmi_offset(const vmi_t *img, uint64_t page)
{
    uint64_t before = 1; /* pages of sums: those of the meta pages take one */
    if (page >= img->meta)
        before += ((page - img->meta) / (img->leaf + img->span) + 1) * img->sums;
    return VMI_HOME + (page + before) * img->psize;
}

uint64_t vmi_end(const vmi_t *img, uint64_t n)
{
    return n > 0 ? vmi_offset(img, n - 1) + img->psize : VMI_HOME;
}

uint64_t vmi_sumplace(const vmi_t *img, uint64_t page)
{
    size_t unit = img->leaf + img->span;
    if (page < img->meta)
        return VMI_HOME + page * sizeof(uint64_t);
    page -= img->meta;
    return VMI_HOME + (1 + img->meta + page / unit * (img->sums + unit)) * img->psize +
           page % unit * sizeof(uint64_t);
}

uint64_t vmi_pageat(const vmi_t *img, uint64_t off)
{
    uint64_t at = off > VMI_HOME ? (off - VMI_HOME) / img->psize : 0, unit = img->leaf + img->span, r;
    if (at < 1 + img->meta)
        return at > 0 ? at - 1 : 0;
    at -= 1 + img->meta;
    r = at % (img->sums + unit);
    return img->meta + at / (img->sums + unit) * unit + (r > img->sums ? r - img->sums : 0);
}

uint64_t vmi_bound(const vmi_t *img)
{
    size_t len = img->head->len < img->limit ? (size_t)img->head->len : img->limit;
    uint64_t end = len > 0 ? vmi_pageof(img, img->base + len - 1) + 1 : img->meta;
    return VMB_MAX(end, img->npages);
}

void vmi_measure(vmi_t *img, uint64_t base, uint64_t limit)
{
    img->psize = vmos_pagesize();
    img->meta = VMI_METASIZE / img->psize;
    img->leaf = VMB_UP(VMB_LEAFBYTES, img->psize) / img->psize;
    img->span = VMB_LEAFSPAN / img->psize;
    img->sums = VMB_UP((img->leaf + img->span) * sizeof(uint64_t), img->psize) / img->psize;
    img->limit = (size_t)VMB_UP(limit, img->psize);
    img->units = (img->limit + VMB_LEAFSPAN - 1) / VMB_LEAFSPAN;
    img->base = (char *)(uintptr_t)base;
    img->low = img->base - (img->meta + img->units * img->leaf) * img->psize;
    img->total = (size_t)(img->base - img->low) + img->limit;
    img->head = (vmi_meta_t *)(void *)(img->base - VMI_METASIZE);
    img->maxpages = img->meta + img->units * (img->leaf + img->span);
}

/* The leaves of all that the region may grow to; all or none. */
static int adopt(vmi_t *img)
{
    size_t g;
    for (g = 0; g < img->units; g++)
        if (vmb_map_adopt(img->base + g * VMB_LEAFSPAN,
                          img->base - (img->meta + (g + 1) * img->leaf) * img->psize) != 0) {
            while (g-- > 0)
                vmb_map_drop(img->base + g * VMB_LEAFSPAN,
                             img->base - (img->meta + (g + 1) * img->leaf) * img->psize);
            errno = EADDRINUSE;
            return -1;
        }
    return 0;
}

static int take(vmi_t *img, uint64_t base, size_t limit)
{
    vmi_measure(img, base, limit);
    if (base + img->limit > (uint64_t)1 << VMB_MAPBITS) {
        errno = EADDRINUSE;
        return -1;
    }
    if (vmos_view_reserve(img->low, img->total) != 0)
        return -1;
    if (adopt(img) == 0)
        return 0;
    vmos_unmap(img->low, img->total);
    errno = EADDRINUSE;
    return -1;
}

void vmi_unview(vmi_t *img)
{
    size_t g;
    int e = errno;
    for (g = 0; g < img->units; g++)
        vmb_map_drop(img->base + g * VMB_LEAFSPAN,
                     img->base - (img->meta + (g + 1) * img->leaf) * img->psize);
    vmos_unmap(img->low, img->total);
    errno = e;
}

/* In the slots of one range, from a random one on. */
static int placein(vmi_t *img, const range_t *r, size_t limit)
{
    uint64_t i, need = (limit + FRONT + SLOT - 1) / SLOT, first = vmb_mix(img->super.id[0]);
    for (i = 0; need < r->slots && i < r->slots; i++) {
        uint64_t slot = (first + i) % r->slots;
        if (slot + need > r->slots)
            continue;
        if (take(img, r->from + slot * SLOT + FRONT, limit) == 0)
            return 0;
        if (errno != EADDRINUSE)
            return -1;
    }
    errno = EADDRINUSE;
    return -1;
}

/* Where addresses are scarce (a limit of the process), a default becomes smaller. */
int vmi_place(vmi_t *img, void *wish, size_t limit)
{
    size_t want = limit != 0 ? limit : DEFAULTLIMIT, i;
    if (wish != NULL)
        return take(img, VMB_DOWN(wish, VMB_LEAFSPAN), want);
    for (;; want /= 2) {
        for (i = 0; i < sizeof ranges / sizeof *ranges; i++)
            if (placein(img, &ranges[i], want) == 0)
                return 0;
        if (limit != 0 || want <= VMB_LEAFSPAN)
            return -1;
    }
}

int vmi_replace(vmi_t *img, size_t limit)
{
    return take(img, img->home, limit);
}

int vmi_anyplace(vmi_t *img, void *wish, size_t limit)
{
    uint64_t base = VMB_DOWN(wish, VMB_LEAFSPAN);
    if (wish != NULL && vmi_canbe(base, limit) && take(img, base, limit) == 0)
        return 0;
    if (vmi_replace(img, limit) == 0)
        return 0;
    return vmi_place(img, NULL, limit); /* also where the system has no such addresses at all: ENOMEM */
}

int vmi_view(vmi_t *img)
{
    uint64_t page, n;
    for (page = 0; page < img->npages; page += n) {
        n = VMB_MIN(vmi_run(img, page), img->npages - page);
        if (vmos_view_file(vmi_addrof(img, page), n * img->psize, img->fd, vmi_offset(img, page)) != 0)
            return -1;
    }
    img->mapped = img->npages;
    img->cuts = 0;
    return 0;
}
