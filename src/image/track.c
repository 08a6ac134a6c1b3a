/* SPDX-License-Identifier: MIT */
/*
 * track: which pages changed since the last commit, as far as the system tells.
 *
 *   VM_IMGUFFD   writes are noted; told once, then noted anew
 *   VM_IMGMAP    private copies, each time until they are dropped
 *   VM_IMGHASH   every page that there is
 *
 * More may be marked than changed; the hashes of commit.c sort that out.  A page that the system tells
 * of for the first time is looked up in the pagemap: one that was only read is none of ours.
 * With VM_IMGUFFD pages that change with commit after commit are *hot* (hot.c): their writes are not noted, which spares
 * a fault each, and they count as changed every time.  Nor are writes to pages that the program tells of itself
 * (vmtell()): those count as changed when it did.  When a look found nothing but these, the next one is left out
 * as long as the process has no fault of a page: the system counts them, and who counts right was tried, too.
 * Invariant: a page that this process wrote since the last commit is marked when collect() returns.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

#define TRIALPAGES ((size_t)4)
#define BATCH 1024
#define MOSTCUTS 1000

VMOS_INLINE void setbit(uint64_t *map, uint64_t i)
{
    __atomic_fetch_or(&map[i >> 6], (uint64_t)1 << (i & 63), __ATOMIC_RELAXED);
}

/* Where the region's memory ends. */
static char *endof(const vmi_t *img)
{
    return img->base + VMB_MIN((size_t)VMB_UP(img->head->len, img->psize), img->limit);
}

/* Where it begins: with the last leaf that can be in use. */
static char *startof(const vmi_t *img)
{
    size_t units = ((size_t)(endof(img) - img->base) + VMB_LEAFSPAN - 1) / VMB_LEAFSPAN;
    return img->base - (img->meta + units * img->leaf) * img->psize;
}

/* ---- choosing ---- */

/* Pages 1 and 3 of four are written: they, and no more than pages 1 to 3, must be told. */
static int told(vmi_t *img, char *p, size_t ps)
{
    vmos_span_t spans[8];
    char *at = p;
    unsigned got = 0;
    int i, n;
    p[ps] ^= 1;
    p[3 * ps] ^= 1;
    n = vmos_track_scan(img->pagemap, &at, p + TRIALPAGES * ps, spans, 8);
    if (n < 0 || at != p + TRIALPAGES * ps)
        return 0;
    for (i = 0; i < n; i++)
        for (; spans[i].size > 0; spans[i].addr += ps, spans[i].size -= ps)
            got |= 1u << ((size_t)(spans[i].addr - p) / ps);
    return (got & 10) == 10;
}

static int privates(vmi_t *img, const char *p, unsigned want)
{
    unsigned char is[TRIALPAGES];
    unsigned got = 0, i;
    if (vmos_pagemap_private(img->pagemap, p, TRIALPAGES, is) != 0)
        return 0;
    for (i = 0; i < TRIALPAGES; i++)
        got |= (unsigned)is[i] << i;
    return got == want;
}

/* On a private view of the file's first pages: which of the ways work. */
static int trial(vmi_t *img, char *p, size_t ps)
{
    volatile const char *see = p;
    uint64_t faults;
    int map, uffd;
    (void)see[2 * ps];
    uffd = img->uffd >= 0 && vmos_track_add(img->uffd, p, TRIALPAGES * ps) == 0;
    map = privates(img, p, 0);
    p[ps] ^= 1;
    p[3 * ps] ^= 1;
    map = map && privates(img, p, 10);
    uffd = uffd && told(img, p, ps);
    faults = vmos_faults();
    uffd = uffd && told(img, p, ps);
    img->counted = uffd && faults != 0 && vmos_faults() >= faults + 2;
    return uffd && map ? VM_IMGUFFD : map ? VM_IMGMAP : VM_IMGHASH;
}

static int choose(vmi_t *img)
{
    size_t ps = img->psize;
    char *p = vmos_map(NULL, TRIALPAGES * ps, VMOS_RESERVE | VMOS_SMALL);
    int tier = VM_IMGHASH;
    if (p == NULL)
        return tier;
    if (vmos_view_file(p, TRIALPAGES * ps, img->fd, 0) == 0)
        tier = trial(img, p, ps);
    vmos_unmap(p, TRIALPAGES * ps);
    return tier;
}

void vmi_track_open(vmi_t *img)
{
    int e = errno;
    img->tier = VM_IMGHASH;
    img->uffd = img->pagemap = -1;
    if (!(img->flags & VM_IMGNOTRACK) && (img->pagemap = vmos_pagemap_open()) >= 0) {
        img->uffd = vmos_track_open();
        img->tier = choose(img);
    }
    if (img->tier == VM_IMGUFFD && vmos_track_add(img->uffd, img->low, img->total) != 0)
        img->tier = VM_IMGMAP;
    errno = e;
}

void vmi_track_close(vmi_t *img)
{
    if (img->uffd >= 0)
        vmos_disk_close(img->uffd);
    if (img->pagemap >= 0)
        vmos_disk_close(img->pagemap);
    img->uffd = img->pagemap = -1;
}

/* ---- collecting ---- */

/* n pages from page on, one behind the other, may have changed: those that are private copies have. */
static int sift(vmi_t *img, uint64_t page, size_t n)
{
    unsigned char is[BATCH];
    size_t i, part;
    for (; n > 0; n -= part, page += part) {
        while (n > 0 && vmb_bit(img->copied, (size_t)page)) {
            setbit(img->dirty, page++);
            n--;
        }
        part = VMB_MIN(n, (size_t)BATCH);
        for (i = 0; i < part && !vmb_bit(img->copied, (size_t)page + i); i++)
            ;
        part = i;
        if (part > 0 && vmos_pagemap_private(img->pagemap, vmi_addrof(img, page), part, is) != 0)
            return -1;
        for (i = 0; i < part; i++)
            if (is[i]) {
                setbit(img->dirty, page + i);
                setbit(img->copied, page + i);
            }
    }
    return 0;
}

/* [p, end) in pieces that lie one behind the other in the file, too. */
static int pieces(vmi_t *img, char *p, const char *end, int (*f)(vmi_t *, uint64_t, size_t))
{
    while (p < end) {
        uint64_t page = vmi_pageof(img, p);
        size_t n = VMB_MIN((size_t)(end - p) / img->psize, (size_t)vmi_run(img, page));
        if ((*f)(img, page, n) != 0)
            return -1;
        p += n * img->psize;
    }
    return 0;
}

static int markall(vmi_t *img, uint64_t page, size_t n)
{
    vmb_bits_set(img->dirty, (size_t)page, n);
    return 0;
}

/* Every private copy, known or not. */
static int everycopy(vmi_t *img, uint64_t page, size_t n)
{
    vmb_bits_clear(img->copied, (size_t)page, n);
    return sift(img, page, n);
}

/* ---- hot pages ---- */

#define MOSTSPANS 64
#define MOSTARMS 32

/* The page with the region's lock: every call writes there, the commit as well, and as a rule nothing changes. */
static uint64_t lockpage(const vmi_t *img)
{
    return img->data != NULL ? vmi_pageof(img, &img->data->lock) : 0;
}

/* Whether writes to this page are not noted. */
static int unnoted(const vmi_t *img, uint64_t page)
{
    return vmb_bit(img->told, (size_t)page) || vmb_bit(img->ishot, (size_t)page) || page == lockpage(img);
}

/* Writes to the other pages of this stretch are noted from now on: how many calls that took; -1.  It stops after
 * `most`. */
static int arm(vmi_t *img, char *p, const char *end, int most)
{
    vmos_span_t any[MOSTSPANS];
    char *to;
    int n = 0;
    for (; p < end && n <= most; p += img->psize) {
        for (to = p; to < end && !unnoted(img, vmi_pageof(img, to));)
            to += img->psize;
        n += p < to;
        while (p < to)
            if (vmos_track_scan(img->pagemap, &p, to, any, MOSTSPANS) < 0)
                return -1;
    }
    img->calm &= n == 0;
    return n;
}

/* From p on, where the next page is that the program tells of (is 1), or one that it does not (0); at most end. */
static char *toldfrom(const vmi_t *img, char *p, char *end, int is)
{
    size_t page, n, at;
    if (!img->telling)
        return is ? end : p;
    for (; p < end; p += n * img->psize) {
        page = (size_t)vmi_pageof(img, p);
        n = VMB_MIN((size_t)(end - p) / img->psize, (size_t)vmi_run(img, page));
        at = is ? vmb_bits_next1(img->told, page, page + n) : vmb_bits_next0(img->told, page, page + n);
        if (at < page + n)
            return p + (at - page) * img->psize;
    }
    return end;
}

/* Some of what was written of pages that the program does not tell of, from *at on, which is moved up to what was not
 * looked at: how many stretches; -1. */
static int look(const vmi_t *img, char **at, vmos_span_t *spans)
{
    char *end = endof(img), *to;
    *at = toldfrom(img, *at, end, 0);
    to = toldfrom(img, *at, end, 1);
    return *at < to ? vmos_track_look(img->pagemap, at, to, spans, MOSTSPANS) : 0;
}

/* What was written, when that is little: hot pages are left alone.  1: it is not, or the system does not say.  Others
 * are noted again before the pagemap is asked, so that a thread that writes meanwhile is seen by the one or the other. */
static int notedfew(vmi_t *img)
{
    vmos_span_t spans[MOSTSPANS];
    char *at = startof(img), *end = endof(img);
    int i, n, arms, left = VMB_MAX(MOSTARMS, img->nhot / 4);
    img->calm = 1;
    while (at < end) {
        n = look(img, &at, spans);
        for (i = 0; i < n && left >= 0; i++, left -= arms) {
            arms = arm(img, spans[i].addr, spans[i].addr + spans[i].size, left);
            if (pieces(img, spans[i].addr, spans[i].addr + spans[i].size, sift) != 0 || arms < 0)
                return -1;
        }
        if (n < 0 || left < 0)
            return 1;
    }
    return 0;
}

/* Hot pages, and that of the lock, count as changed, whether or not anything was looked at: they are compared. */
static void markhot(vmi_t *img)
{
    int i;
    setbit(img->dirty, lockpage(img));
    for (i = 0; i < img->nhot; i++)
        setbit(img->dirty, img->hot[i]);
}

static int few(vmi_t *img)
{
    uint64_t began;
    int r = 0;
    if (!vmi_calm(img)) {
        began = vmi_calm_look(img);
        r = notedfew(img);
        vmi_calm_looked(img, began);
    }
    if (r == 0)
        markhot(img);
    return r;
}

static int noted(vmi_t *img)
{
    vmos_span_t spans[256];
    char *at = startof(img), *end = endof(img), *to = at;
    int i, n;
    while (at < to || (at = toldfrom(img, at, end, 0)) < end) {
        to = at < to ? to : toldfrom(img, at, end, 1);
        n = vmos_track_scan(img->pagemap, &at, to, spans, 256);
        for (i = 0; i < n; i++)
            if (pieces(img, spans[i].addr, spans[i].addr + spans[i].size, sift) != 0)
                return -1;
        if (n < 0)
            return -1;
    }
    return 0;
}

int vmi_track_collect(vmi_t *img)
{
    int r = img->tier == VM_IMGUFFD && (img->nhot > 0 || img->telling) ? few(img) : 1;
    if (r > 0) {
        vmi_hot_none(img);
        r = img->tier == VM_IMGUFFD ? noted(img)
                                    : pieces(img, startof(img), endof(img),
                                             img->tier == VM_IMGMAP ? everycopy : markall);
    }
    if (r < 0 && img->tier == VM_IMGUFFD)
        img->tier = VM_IMGMAP; /* what was told may be forgotten by now: all copies are asked for again */
    return r;
}

int vmi_suspect(vmi_t *img)
{
    return pieces(img, startof(img), endof(img), img->pagemap >= 0 && img->tier != VM_IMGHASH ? everycopy : markall);
}

/* ---- pages that the program tells of ---- */

void vmi_track_tell(vmi_t *img, char *addr, const char *end, int on)
{
    uint64_t page;
    size_t n, i;
    for (; addr < end; addr += n * img->psize) {
        page = vmi_pageof(img, addr);
        n = VMB_MIN((size_t)(end - addr) / img->psize, (size_t)vmi_run(img, page));
        if (sift(img, page, n) != 0) /* what was stored there until now, told or not */
            for (i = 0; i < n; i++)
                setbit(img->dirty, page + i);
        (on ? vmb_bits_set : vmb_bits_clear)(img->told, (size_t)page, n);
        img->telling |= on;
    }
    img->calm = 0;
}

void vmi_track_untell(vmi_t *img)
{
    size_t at = 0, to, end = img->maxpages;
    int e = errno;
    if (!img->telling)
        return;
    for (; (at = vmb_bits_next1(img->told, at, end)) < end; at = to) {
        to = vmb_bits_next0(img->told, at, end);
        vmb_bits_set(img->dirty, at, to - at);
        vmb_bits_clear(img->told, at, to - at);
    }
    img->telling = img->calm = 0;
    errno = e;
}

void vmi_track_stored(vmi_t *img, const char *addr, const char *end)
{
    uint64_t page;
    for (addr = (const char *)VMB_DOWN(addr, img->psize); addr < end; addr += img->psize)
        if (vmb_bit(img->told, (size_t)(page = vmi_pageof(img, addr))))
            setbit(img->dirty, page);
}

/* ---- clearing ---- */

/* Of n pages from page on, which lie one behind the other in the file, those that the last commit has
 * something in change: by the journal, and by what is no hole in the file. */
static void markfull(vmi_t *img, uint64_t page, uint64_t n)
{
    uint64_t p, end = VMB_MIN(page + n, img->npages), at = vmi_offset(img, page), from, to, stop;
    int r = 1;
    stop = end > page ? vmi_end(img, end) : at;
    for (p = page; p < end && (p = vmb_bits_next1(img->logged, (size_t)p, (size_t)end)) < end; p++)
        setbit(img->dirty, p);
    for (from = at; from < stop && r > 0; from = to) {
        r = vmos_disk_data(img->fd, &from, &to);
        if (r < 0)
            to = stop;
        from -= (from - at) % img->psize; /* blocks of the file system may be smaller */
        for (; r != 0 && from < VMB_MIN(to, stop); from += img->psize)
            setbit(img->dirty, page + (from - at) / img->psize);
    }
}

/* What is a view of the file becomes cleared memory; a few pages are written over instead, for each
 * such change may cut a mapping in three. */
static void blank(vmi_t *img, char *addr, size_t n)
{
    if (n < 16 || img->cuts >= MOSTCUTS || vmos_view_file(addr, n * img->psize, -1, 0) != 0) {
        memset(addr, 0, n * img->psize);
        return;
    }
    img->cuts++;
    if (img->tier == VM_IMGUFFD && vmos_track_add(img->uffd, addr, n * img->psize) != 0)
        img->tier = VM_IMGMAP;
}

int vmi_clear(vmi_t *img, char *addr, size_t size)
{
    char *end = (char *)VMB_DOWN(addr + size, img->psize), *stop;
    for (addr = (char *)VMB_UP(addr, img->psize); addr < end; addr = stop) {
        uint64_t page = vmi_pageof(img, addr);
        size_t n = VMB_MIN((size_t)(end - addr) / img->psize, (size_t)vmi_run(img, page));
        if (page < img->mapped)
            n = VMB_MIN(n, (size_t)(img->mapped - page));
        stop = addr + n * img->psize;
        markfull(img, page, n);
        if (page < img->mapped || vmos_purge(addr, n * img->psize) != 0)
            blank(img, addr, n);
    }
    return 1;
}
