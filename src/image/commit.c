/* SPDX-License-Identifier: MIT */
/*
 * commit: what changed becomes a record of the journal.
 *
 *   changed pages -> copied and summed -> same sum as before?  left out
 *                                       -> whole in the journal? lines that differ from its twin, into the record
 *                                       -> in the file already?  into the record
 *                                       -> behind its end?       to its place, and named in the record, unless
 *                                                                they are few
 *
 *   img->rec   | header | pages, up to VMI_CHUNK at a time | a page | lines, VMI_LINEMOST | list, room for lines |
 *
 * A record that fits is one write, or some stores (window.c), to which the list is moved up.  Of a longer one the pages are written
 * first, chunk by chunk, and the list and the header at last; nothing depends on that order, since the
 * sums are what counts.
 * Cost: a copy, a sum and a write of what changed; one sync.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

#define FILL ((size_t)512 << 10)
#define FILLMAX ((uint64_t)16 << 20) /* bytes of journal that are filled ahead */
#define AHEADMIN 16  /* new pages that make it worth writing them to their places */
#define AHEADMAX 256 /* pages written to their places that a record names; more are synced before it */

typedef struct writing {
    vmi_t *img;
    vmi_record_t *head;
    vmi_entry_t *list;
    char *lines;       /* those of the record, head->lines bytes */
    uint64_t at;       /* of the record */
    char *chunk;       /* pages on their way */
    size_t have;       /* bytes in it */
    uint64_t done;     /* bytes of pages written before */
    uint64_t place;    /* for pages ahead: where the chunk goes */
    uint64_t nahead;
    int ahead;
    int few;           /* new pages: they go into the record, too */
    unsigned flags;    /* of the record */
} writing_t;

int vmi_fail(vmi_t *img)
{
    img->failed = errno != 0 ? errno : EIO;
    errno = EIO;
    return -1;
}

static int flush(writing_t *w)
{
    uint64_t to = w->ahead ? w->place : w->at + VMI_SECTOR + w->done;
    if (w->have > 0 && vmi_io->write(w->img->fd, w->chunk, w->have, to) != 0)
        return -1;
    w->done += w->ahead ? 0 : w->have;
    w->have = 0;
    return 0;
}

/* The first look at a page of which nothing is known: its contents in the file are compared, where that
 * is likely to save the writing.  Behind the last page it says nothing, for the journal may lie there. */
static int asbefore(writing_t *w, uint64_t page, uint64_t sum)
{
    vmi_t *img = w->img;
    char *old = w->chunk + VMI_CHUNK; /* journal_room() leaves a page there */
    if (img->tier != VM_IMGHASH || page >= img->npages || vmi_journal_page(img, page, old) != 0 ||
        memcmp(old, w->chunk + w->have, img->psize) != 0)
        return 0;
    img->hash[page] = sum;
    return 1;
}

/* A page that the journal has whole: the lines that changed, if they are few.  0: all of it must be written. */
static int lined(writing_t *w, uint64_t page)
{
    vmi_t *img = w->img;
    const char *twin = vmi_twin_make(img, page), *now = vmi_addrof(img, page);
    uint64_t mask;
    size_t bytes;
    if (twin == NULL)
        return 0;
    mask = vmi_lines_differ(now, twin, img->psize);
    if (mask == 0)
        return 1;
    if (w->head->lines + img->psize + VMI_LINES > VMI_LINEMOST)
        return 0;
    bytes = w->flags & VMI_WORDS ? vmi_words_take(w->lines + w->head->lines, now, twin, mask, img->psize)
                                 : vmi_lines_take(w->lines + w->head->lines, now, mask, img->psize);
    if (bytes > img->psize / 2)
        return 0;
    w->head->lines += bytes;
    w->list[w->head->count++] = (vmi_entry_t){page | VMI_LINED, mask};
    return 1;
}

/* Whether a page that the journal has may get a twin. */
static int twinable(const vmi_t *img, uint64_t page)
{
    return vmb_bit(img->logged, (size_t)page) && img->super.version >= VMI_LINEAR &&
           img->ntwins < VMI_TWINMOST / img->psize;
}

/* A page of the file: into the record, unless it is as it was. */
static int inside(writing_t *w, uint64_t page)
{
    vmi_t *img = w->img;
    int e = errno;
    uint64_t sum;
    if (img->twin[page] != 0 && lined(w, page))
        return 0;
    if (w->have == VMI_CHUNK && flush(w) != 0)
        return -1;
    sum = vmi_copysum(w->chunk + w->have, vmi_addrof(img, page), img->psize);
    if (img->twin[page] == 0) {
        if (sum == img->hash[page] || (img->hash[page] == 0 && asbefore(w, page, sum)))
            return 0;
        if (twinable(img, page) && lined(w, page))
            return 0;
        errno = e;
    }
    if (vmi_iszero(w->chunk + w->have, img->psize)) {
        w->list[w->head->count++] = (vmi_entry_t){page | VMI_ZERO, sum};
        return 0;
    }
    w->list[w->head->count++] = (vmi_entry_t){page | VMI_INLINE, sum};
    w->have += img->psize;
    return 0;
}

/* A page behind the file's last: to its place.  Zeros are what is there, for freshen() was here. */
static int ahead(writing_t *w, uint64_t page)
{
    vmi_t *img = w->img;
    uint64_t sum, to = vmi_offset(img, page);
    if (w->have > 0 && (w->have == VMI_CHUNK || w->place + w->have != to) && flush(w) != 0)
        return -1;
    sum = vmi_copysum(w->chunk + w->have, vmi_addrof(img, page), img->psize);
    if (vmi_iszero(w->chunk + w->have, img->psize))
        return 0;
    if (w->have == 0)
        w->place = to;
    w->list[w->head->count++] = (vmi_entry_t){page | VMI_AHEAD, sum};
    w->nahead++;
    w->have += img->psize;
    w->head->npages = page + 1;
    return 0;
}

/* Whether page p can be written to its place before the record is: nobody reads it there yet. */
static int isahead(const vmi_t *img, uint64_t page)
{
    return page >= img->npages && vmi_end(img, page + 1) <= img->super.journal;
}

/* Whether new pages are so few that a sync of the record alone costs less than writing them once: places that
 * the file gets blocks for make the file system write down where these are.  And lines of them can follow. */
static int arefew(const vmi_t *img)
{
    uint64_t p = img->npages, end = vmi_bound(img);
    size_t n = 0;
    for (; n <= AHEADMIN && (p = vmb_bits_next1(img->dirty, (size_t)p, end)) < end; p++)
        n++;
    return n <= AHEADMIN && img->safety == VM_IMGPOWER;
}

/* All changed pages, in order: those of the file come first. */
static int pages(writing_t *w)
{
    vmi_t *img = w->img;
    uint64_t p, end = vmi_bound(img);
    for (p = 0; (p = vmb_bits_next1(img->dirty, (size_t)p, end)) < end; p++) {
        int is = !w->few && isahead(img, p);
        if (is != w->ahead) {
            if (flush(w) != 0)
                return -1;
            w->ahead = is;
        }
        if ((is ? ahead(w, p) : inside(w, p)) != 0)
            return -1;
        if (p >= w->head->npages && !is && w->head->count > 0 &&
            (w->list[w->head->count - 1].page & ~VMI_KIND) == p)
            w->head->npages = p + 1;
    }
    return 0;
}

/* The header's sums, when all else of it and the list with the lines are there, `used` bytes. */
static void seal(writing_t *w, size_t used)
{
    vmi_record_t *h = w->head;
    h->flags = w->flags;
    h->listsum = vmi_sum(w->list, used, h->epoch);
    h->sum = vmi_sum(h, offsetof(vmi_record_t, sum), VMI_RECORD);
}

/* Of a record without pages list and lines follow the header.  It begins in the sector where the one before ends,
 * when both may be lost together: when that is of this process, and nobody was told that it is on the disk. */
static int finishshort(writing_t *w, size_t used)
{
    vmi_t *img = w->img;
    vmi_record_t *h = w->head;
    size_t n = sizeof *h + used;
    if (img->unsynced == 2)
        w->at = img->super.journal + img->jpos;
    h->list = sizeof *h;
    h->size = img->safety == VM_IMGPOWER ? VMB_UP(n, VMI_SECTOR) : n;
    seal(w, used);
    memcpy(h + 1, w->list, used);
    memset((char *)h + n, 0, (size_t)h->size - n);
    if (vmi_window_store(img, h, (size_t)h->size, w->at))
        return 0;
    return vmi_io->write(img->fd, h, (size_t)h->size, w->at);
}

/* The record's last part, which is all of it when it fits: pages in the chunk, list, header. */
static int finish(writing_t *w)
{
    vmi_t *img = w->img;
    vmi_record_t *h = w->head;
    size_t used = (size_t)(h->count * sizeof *w->list + h->lines), bytes = (size_t)VMB_UP(used, VMI_SECTOR);
    char *list = (char *)w->list;
    if ((w->ahead || w->done > 0 || w->have + bytes > VMI_CHUNK) && flush(w) != 0)
        return -1;
    memcpy(w->list + h->count, w->lines, (size_t)h->lines);
    if (w->flags & VMI_WORDS && w->done + w->have == 0 && used <= VMI_CHUNK)
        return finishshort(w, used);
    h->list = VMI_SECTOR + w->done + w->have;
    h->size = h->list + bytes;
    memset(list + used, 0, bytes - used);
    seal(w, used);
    if (bytes > VMI_CHUNK || w->done > 0) {
        if (vmi_io->write(img->fd, list, bytes, w->at + h->list) != 0)
            return -1;
        return vmi_io->write(img->fd, h, VMI_SECTOR, w->at);
    }
    memcpy(w->chunk + w->have, list, bytes);
    if (vmi_window_store(img, h, VMI_SECTOR + w->have + bytes, w->at))
        return 0;
    return vmi_io->write(img->fd, h, VMI_SECTOR + w->have + bytes, w->at);
}

/* Syncing a file that grew costs many times what syncing blocks that it has costs: when a small record
 * is the first to come so far, zeros are written behind it for those to come.  Without room for them it
 * goes as well. */
static void fillahead(vmi_t *img, uint64_t end)
{
    size_t n = (size_t)VMB_UP(end, 4096) - (size_t)end;
    int e = errno;
    if (end <= img->jfilled)
        return;
    img->jfilled = end;
    if (img->safety == VM_IMGPOWER && end - img->super.journal <= FILLMAX) {
        n += FILL;
        memset(img->rec, 0, FILL + 4096);
        if (vmi_io->write(img->fd, img->rec, n, end) == 0)
            img->jfilled = end + n;
    }
    errno = e;
}

/* The list no longer names pages that are on the disk in their places. */
static void unname(vmi_record_t *h, vmi_entry_t *list)
{
    uint64_t i, n = 0;
    for (i = 0; i < h->count; i++)
        if ((list[i].page & VMI_KIND) != VMI_AHEAD)
            list[n++] = list[i];
    h->count = n;
}

/* The record is there: what it says is the last commit. */
static void done(vmi_t *img, const vmi_record_t *h, const vmi_entry_t *list, const char *lines, uint64_t at)
{
    size_t (*putback)(void *, const void *, uint64_t, size_t) = h->flags & VMI_WORDS ? vmi_words_put : vmi_lines_put;
    uint64_t i, off = at + VMI_SECTOR;
    for (i = 0; i < h->count; i++) {
        uint64_t page = list[i].page & ~VMI_KIND, kind = list[i].page & VMI_KIND;
        vmb_bit_set(img->unsaved, (size_t)page);
        if (kind == VMI_LINED) {
            lines += putback(vmi_twin(img, page), lines, list[i].hash, img->psize);
            continue;
        }
        img->hash[page] = list[i].hash;
        img->twin[page] = 0;
        if (kind == VMI_AHEAD)
            continue;
        img->where[page] = kind == VMI_ZERO ? 1 : off;
        vmb_bit_set(img->logged, (size_t)page);
        off += kind == VMI_INLINE ? img->psize : 0;
    }
    if (!(h->flags & VMI_SUMMED))
        vmb_bits_set(img->unsaved, (size_t)img->npages, (size_t)(h->npages - img->npages));
    img->npages = h->npages;
    img->gen = h->gen;
    img->lastsum = h->sum;
    img->home = (uintptr_t)img->base;
    img->lastrec = at;
    img->jpos = at + h->size - img->super.journal;
    img->jseq++;
    if (h->flags & VMI_DECISION)
        vmi_decided(img, h->joint);
}

static void undirty(vmi_t *img)
{
    size_t i, end = (size_t)vmi_bound(img);
    for (i = 0; (i = vmb_bits_next1(img->dirty, i, end)) < end; i = (i | 63) + 1)
        img->dirty[i >> 6] = 0;
}

static size_t countdirty(const vmi_t *img, uint64_t *last)
{
    size_t i, n = 0, end = (size_t)vmi_bound(img);
    *last = 0;
    for (i = 0; (i = vmb_bits_next1(img->dirty, i, end)) < end; i = (i | 63) + 1) {
        n += (size_t)vmb_pop(img->dirty[i >> 6]);
        *last = VMB_MIN(i | 63, end - 1);
    }
    return n;
}

/* Pages that were written ahead, and that the record will not name: their sums are remembered, and those of all
 * pages that are new in front of the journal go into the file.  Nothing is in the chunk. */
static int remember(writing_t *w)
{
    vmi_t *img = w->img;
    uint64_t i, end = VMB_MIN(w->head->npages, vmi_pageat(img, img->super.journal));
    for (i = 0; i < w->head->count; i++) /* not of others: the record may fail */
        if ((w->list[i].page & VMI_KIND) == VMI_AHEAD)
            img->hash[w->list[i].page & ~VMI_KIND] = w->list[i].hash;
    vmb_bits_set(img->unsaved, (size_t)img->npages, (size_t)(end - img->npages));
    return vmi_sums_save(img, img->npages, end, w->chunk);
}

int vmi_sync(vmi_t *img)
{
    if (!img->unsynced)
        return 0;
    if (vmi_io->sync(img->fd) != 0)
        return vmi_fail(img);
    img->unsynced = 0;
    img->lastsync = vmos_coarsetime();
    return 0;
}

static int settle(vmi_t *img)
{
    img->unsynced = 2;
    if (img->safety == VM_IMGPOWER)
        return vmi_sync(img);
    if (img->safety == VM_IMGGROUP && vmos_coarsetime() - img->lastsync >= img->group)
        return vmi_sync(img);
    return 0;
}

/* Nobody knows whether the record is on the disk: as far as that can be done, it is not. */
static void disown(vmi_t *img, uint64_t at)
{
    int e = errno;
    vmi_journal_undo(img, at);
    errno = e;
}

/* Have the places behind the last page be zeros.  They may hold what a commit that failed, or a process that
 * died, wrote ahead, or a journal that has moved.  That must be on the disk before a record is: pages that
 * nobody touched are not named in it, and must not show what was there. */
static int freshen(vmi_t *img)
{
    uint64_t from = vmi_end(img, img->npages), to = img->super.journal;
    vmos_disk_stat_t st;
    if (!img->stale)
        return 0;
    if (vmos_disk_stat(img->fd, &st) != 0)
        return -1;
    to = VMB_MIN(to, st.size);
    if (from < to) {
        if (vmi_zeros(img, from, to, img->rec + img->recbytes - VMI_CHUNK, VMI_CHUNK) != 0)
            return -1;
        if (vmi_io->sync(img->fd) != 0) /* whatever the safety: a commit that is there must be whole */
            return vmi_fail(img);
    }
    img->stale = 0;
    return 0;
}

/* A commit that failed may have written pages ahead, and noted their sums. */
static void spoil(vmi_t *img)
{
    uint64_t p, end = vmi_bound(img);
    img->stale = 1;
    for (p = img->npages; (p = vmb_bits_next1(img->dirty, (size_t)p, end)) < end; p++)
        img->hash[p] = 0;
}

/* Zeros behind the last page are what is there anyway.  Only where every page counts as changed are they marked. */
static void droptail(vmi_t *img)
{
    uint64_t p;
    for (p = vmi_bound(img); p-- > img->npages && vmi_iszero(vmi_addrof(img, p), img->psize);)
        vmb_bit_clear(img->dirty, (size_t)p);
}

/* New pages whose places are those of the journal, which readers keep from being moved, are all named: what
 * is in such a place is no zeros. */
static size_t nameall(vmi_t *img)
{
    uint64_t last, from = VMB_MAX(img->npages, vmi_pageat(img, img->super.journal));
    size_t n = countdirty(img, &last);
    if (n == 0 || last < from)
        return n;
    vmb_bits_set(img->dirty, (size_t)from, (size_t)(last - from + 1));
    return countdirty(img, &last);
}

/* Write the record of what is marked.  -1: nothing counts. */
static int record(vmi_t *img, const uint64_t joint[2], unsigned flags)
{
    writing_t w = {.img = img, .few = arefew(img), .flags = flags};
    uint64_t named;
    if (vmi_journal_room(img, nameall(img)) != 0)
        return -1;
    if (img->jpos == 0 && vmi_sync(img) != 0) /* the superblock, which says that older records do not count */
        return -1;
    w.head = (vmi_record_t *)(void *)img->rec;
    w.chunk = img->rec + VMI_SECTOR;
    w.lines = w.chunk + VMI_CHUNK + img->psize;
    w.list = (vmi_entry_t *)(void *)(w.lines + VMI_LINEMOST);
    w.at = img->super.journal + VMB_UP(img->jpos, VMI_SECTOR);
    memset(img->rec, 0, VMI_SECTOR);
    w.flags |= img->jseq > 0 && !img->unsynced ? VMI_AFTER : 0;
    w.flags |= img->super.version >= VMI_WORDY ? VMI_WORDS : 0;
    *w.head = (vmi_record_t){.magic = VMI_RECORD,
                             .epoch = img->super.epoch,
                             .seq = img->jseq,
                             .gen = img->gen + 1,
                             .npages = img->npages,
                             .before = img->lastsum,
                             .writer = img->writer,
                             .joint = {joint != NULL ? joint[0] : 0, joint != NULL ? joint[1] : 0}};
    if ((vmi_bound(img) > img->npages && freshen(img) != 0) || pages(&w) != 0)
        return -1;
    if (w.head->count == 0 && joint == NULL) {
        vmi_hot_learn(img, NULL, 0);
        return 0;
    }
    named = w.head->count;
    if (w.nahead > AHEADMAX && img->safety == VM_IMGPOWER) {
        if (flush(&w) != 0 || remember(&w) != 0)
            return -1;
        if (vmi_io->sync(img->fd) != 0)
            return vmi_fail(img);
        unname(w.head, w.list);
        w.flags |= VMI_SUMMED;
    }
    if (finish(&w) != 0)
        return -1;
    img->changed = named;
    vmi_hot_learn(img, w.list, w.head->count);
    done(img, w.head, w.list, w.lines, w.at);
    fillahead(img, img->super.journal + img->jpos);
    if (settle(img) == 0)
        return 0;
    disown(img, w.at);
    return -1;
}

/* More room for the journal, which the places of new pages would reach. */
static void makeway(vmi_t *img, uint64_t last)
{
    uint64_t end = vmi_end(img, last + 1);
    int e = errno;
    if (end > img->super.journal)
        vmi_checkpoint(img, end);
    errno = e;
}

int vmi_isfull(int e)
{
    return e == ENOSPC || e == EDQUOT || e == EFBIG;
}

/* How long the journal may get: so long that pages which change often are moved seldom, and so short
 * that reading it back takes no time to speak of.  Longer where commits do not wait for the disk, for
 * a checkpoint does. */
static uint64_t longest(const vmi_t *img)
{
    uint64_t least = (uint64_t)(img->safety == VM_IMGPOWER ? 16 : 64) << 20;
    uint64_t size = img->npages * img->psize / 2;
    return img->threshold != 0 ? img->threshold : VMB_MIN(VMB_MAX(size, least), 4 * least);
}

int vmi_commit(vmi_t *img, const uint64_t joint[2], unsigned flags)
{
    uint64_t last;
    size_t n;
    int r;
    if (img->failed) {
        errno = EIO;
        return -1;
    }
    if (vmi_track_collect(img) != 0)
        return -1;
    if (img->tier == VM_IMGHASH)
        droptail(img);
    n = countdirty(img, &last);
    img->changed = 0;
    if (n == 0 && joint == NULL)
        return 0;
    makeway(img, last);
    if (img->failed) {
        errno = EIO;
        return -1;
    }
    r = record(img, joint, flags);
    if (r != 0 && vmi_isfull(errno) && img->jpos > 0 && vmi_checkpoint(img, 0) == 0) {
        spoil(img); /* the journal may now begin before pages whose sums were noted */
        r = record(img, joint, flags); /* in the room that the journal had taken */
    }
    if (r != 0) {
        spoil(img);
        return -1;
    }
    undirty(img);
    if (img->jpos >= longest(img) && (joint == NULL || flags & VMI_DECISION)) {
        int e = errno;
        vmi_checkpoint(img, 0); /* if it cannot be done now, the journal goes on */
        errno = e;
    }
    return 0;
}

int vmi_decide(vmi_t *img, const uint64_t joint[2])
{
    int r = record(img, joint, VMI_DECISION);
    if (r == 0)
        undirty(img);
    else
        spoil(img);
    return r;
}
