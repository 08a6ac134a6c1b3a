/* SPDX-License-Identifier: MIT */
/*
 * back: memory becomes the last commit again, and moves on to what other processes committed.
 *
 * Each page that changed is read from the journal or its place over what is there; behind the file's
 * pages memory is dropped.  When the journal was started anew by another process, nothing tells which
 * pages it had: all of them are mapped anew, which costs what opening does, and the reading of what
 * this process had touched.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

/* Page p as it was committed.  What was read is no change: its sum says so to the next commit. */
static int restore(vmi_t *img, uint64_t p)
{
    char *to = vmi_addrof(img, p);
    if (p >= img->npages) {
        if (vmos_purge(to, img->psize) != 0)
            memset(to, 0, img->psize);
        return 0;
    }
    if (vmi_journal_page(img, p, to) != 0)
        return -1;
    img->hash[p] = vmi_sum(to, img->psize, 0);
    return 0;
}

static int restoreall(vmi_t *img)
{
    uint64_t p, end = vmi_bound(img); /* before page 0 with the region's length is restored, too */
    for (p = 0; (p = vmb_bits_next1(img->dirty, (size_t)p, end)) < end; p++) {
        if (restore(img, p) != 0)
            return -1;
        vmb_bit_clear(img->dirty, (size_t)p);
    }
    return 0;
}

/* Forget all that is known of pages, and of the journal. */
static void forgetall(vmi_t *img)
{
    vmos_purge(img->hash, img->tablebytes);
    vmi_window_drop(img);
    img->telling = img->calm = 0;
    img->jpos = img->jseq = img->lastsum = 0;
    img->ntwins = 0;
    img->gen = img->super.gen;
    img->npages = img->super.npages;
    img->stale = 1;
}

/* Pages of the journal over those of the file. */
int vmi_overlay(vmi_t *img)
{
    uint64_t p;
    for (p = 0; (p = vmb_bits_next1(img->logged, (size_t)p, img->npages)) < img->npages; p++)
        if (vmi_journal_page(img, p, vmi_addrof(img, p)) != 0)
            return -1;
    return 0;
}

int vmi_load(vmi_t *img)
{
    int64_t n;
    forgetall(img);
    n = vmi_journal_read(img, img->copied);
    vmb_bits_clear(img->copied, 0, img->npages);
    img->replayed = n > 0 ? (uint64_t)n : 0;
    return n < 0 ? -1 : vmi_home(img);
}

/* All of memory anew. */
static int reload(vmi_t *img)
{
    if (vmi_load(img) != 0 || vmos_view_file(img->low, img->total, -1, 0) != 0 || vmi_view(img) != 0)
        return -1;
    if (img->tier == VM_IMGUFFD && vmos_track_add(img->uffd, img->low, img->total) != 0)
        img->tier = VM_IMGMAP;
    return vmi_overlay(img);
}

/* What others committed since: their pages count as changed here. */
static int follow(vmi_t *img)
{
    uint64_t seq = img->super.seq, npages = img->npages;
    const char *why;
    if (vmi_super_read(img, &why) != 0)
        return -1;
    if (img->super.limit > img->limit) { /* another process made it larger: to be opened anew */
        errno = ESTALE;
        return -1;
    }
    if (!(img->flags & VM_IMGREAD))
        img->unsynced = 1; /* what they wrote may still wait for its sync */
    if (seq != img->super.seq || vmi_journal_read(img, img->dirty) < 0)
        return reload(img);
    if (img->npages > npages) /* those that were synced in their places are not named */
        vmb_bits_set(img->dirty, (size_t)npages, (size_t)(img->npages - npages));
    return restoreall(img);
}

int vmi_back(vmi_t *img)
{
    if (img->flags & VM_IMGREAD) {
        /* the shared lock is let go and taken again: a checkpoint may pass meanwhile */
        vmos_disk_lock(img->fd, VMI_READER, 0, 0);
        if (vmos_disk_lock(img->fd, VMI_READER, 1, 1) != 0)
            return -1;
    }
    if (vmi_track_collect(img) != 0)
        return -1;
    img->calm = 0; /* the region may become longer, by pages that were not looked at */
    if (!(img->flags & (VM_IMGREAD | VM_IMGTURNS)))
        return restoreall(img);
    return follow(img) != 0 ? -1 : vmi_home(img);
}
