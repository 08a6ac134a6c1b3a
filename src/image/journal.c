/* SPDX-License-Identifier: MIT */
/*
 * journal: reading records back.
 *
 *   super.journal: | record 0 | record 1 | ... | record jseq - 1 | (anything) |
 *                                                                 ^ jpos
 *
 * A record counts when its header, list and pages have their sums, its epoch and number are those
 * expected, and all before it count; it begins where the one before ends, or with the sector behind that.
 * One that names pages in their places counts when these have their sums, but for those that a later
 * record has again: a checkpoint that did not end may have written them.  So the longest row of records
 * that holds together is looked for: the row is read, then the places are looked at, and when one is
 * wrong the row ends before the record that named it.
 * Of a page that a record has lines of, there is a twin from then on.
 * Cost: that of reading the journal, and of the places written ahead.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

#define MARK_ZERO ((uint64_t)1)               /* in where[]: all zeros */
#define MARK_AHEAD(seq) (((uint64_t)(seq) << 2) | 2) /* in its place, says record seq */
#define ISMARK(w) (((w) & 3) != 0)

int vmi_journal_room(vmi_t *img, size_t n)
{
    size_t bytes;
    char *p;
    if (vmb_mulover(n, sizeof(vmi_entry_t), &bytes) ||
        vmb_addover(bytes, 2 * VMI_SECTOR + VMI_CHUNK + vmos_pagesize() + 2 * VMI_LINEMOST, &bytes)) {
        errno = ENOMEM;
        return -1;
    }
    bytes = VMB_UP(bytes, vmos_pagesize());
    if (bytes <= img->recbytes)
        return 0;
    p = vmos_map(NULL, bytes, 0);
    if (p == NULL)
        return -1;
    if (img->rec != NULL)
        vmos_unmap(img->rec, img->recbytes);
    img->rec = p;
    img->recbytes = bytes;
    return 0;
}

/* 1, 0: there are not n bytes; -1. */
static int readall(vmi_t *img, void *buf, size_t n, uint64_t off)
{
    int64_t got = vmi_io->read(img->fd, buf, n, off);
    return got < 0 ? -1 : (uint64_t)got == n;
}

/* Whether the list is where it can be, and the record ends behind it. */
static int fits(const vmi_t *img, const vmi_record_t *r)
{
    uint64_t used = r->count * sizeof(vmi_entry_t) + r->lines;
    if (r->list == sizeof *r)
        return r->size % 8 == 0 && r->size - r->list >= used && r->size - r->list - used < VMI_SECTOR;
    return r->list >= VMI_SECTOR && r->list <= VMI_SECTOR + r->count * img->psize &&
           r->size == r->list + VMB_UP(used, VMI_SECTOR);
}

static int sound(const vmi_t *img, const vmi_record_t *r, uint64_t epoch, uint64_t seq)
{
    return r->magic == VMI_RECORD && r->epoch == epoch && r->seq == seq &&
           r->sum == vmi_sum(r, offsetof(vmi_record_t, sum), VMI_RECORD) &&
           r->count <= img->maxpages && r->npages <= img->maxpages && r->lines <= VMI_LINEMOST && fits(img, r) &&
           (r->before == img->lastsum || r->before == 0);
}

/* Whether an entry can say that some lines of a page changed, and they are in `left` bytes: how many; 0: it cannot. */
static size_t linesof(const vmi_t *img, const vmi_record_t *r, const vmi_entry_t *e, const char *lines, size_t left)
{
    uint64_t page = e->page & ~VMI_KIND;
    size_t bytes = (size_t)vmb_pop(e->hash) * (img->psize / VMI_LINES);
    if (page >= img->npages || !vmb_bit(img->logged, (size_t)page))
        return 0;
    if (r->flags & VMI_WORDS)
        return vmi_words_size(lines, left, e->hash, img->psize);
    return bytes <= left ? bytes : 0;
}

/* The list and the lines at img->rec, and the pages: 1 when all have their sums. */
static int contents(vmi_t *img, const vmi_record_t *r, uint64_t at)
{
    uint64_t i, off = at + VMB_MIN(r->list, (uint64_t)VMI_SECTOR), lines = 0;
    size_t bytes = (size_t)(r->count * sizeof(vmi_entry_t) + r->lines), some;
    vmi_entry_t *list;
    char *page;
    int ok;
    if (vmi_journal_room(img, (size_t)r->count) != 0)
        return -1;
    list = (vmi_entry_t *)(void *)img->rec;
    page = img->rec + img->recbytes - img->psize;
    ok = readall(img, list, bytes, at + r->list);
    if (ok <= 0)
        return ok;
    if (vmi_sum(list, bytes, r->epoch) != r->listsum)
        return 0;
    for (i = 0; i < r->count; i++) {
        if ((list[i].page & ~VMI_KIND) >= r->npages)
            return 0;
        if ((list[i].page & VMI_KIND) == VMI_LINED) {
            lines += some = linesof(img, r, &list[i], (char *)(list + r->count) + lines, (size_t)(r->lines - lines));
            if (some == 0)
                return 0;
        }
        if ((list[i].page & VMI_KIND) != VMI_INLINE)
            continue;
        ok = readall(img, page, img->psize, off);
        if (ok <= 0)
            return ok;
        if (vmi_sum(page, img->psize, 0) != list[i].hash)
            return 0;
        off += img->psize;
    }
    return off == at + r->list && lines == r->lines;
}

static int same(const uint64_t a[2], const uint64_t b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

void vmi_decided(vmi_t *img, const uint64_t joint[2])
{
    uint64_t *slot = img->super.joint[img->super.njoint++ % VMI_JOINTS];
    slot[0] = joint[0];
    slot[1] = joint[1];
}

/* What the record says of a commit of several images. */
static void judge(vmi_t *img, const vmi_record_t *r)
{
    int part = r->joint[0] != 0 || r->joint[1] != 0, decides = part && (r->flags & VMI_DECISION) != 0;
    img->doubt[0] = img->doubt[1] = 0;
    if (decides)
        vmi_decided(img, r->joint);
    else if (part)
        memcpy(img->doubt, r->joint, sizeof img->doubt);
    if (decides && same(r->joint, img->sought))
        img->found = 1;
}

/* A page that the record has whole, at `at` if it does, or that it says to be in its place. */
static void enterpage(vmi_t *img, const vmi_entry_t *e, uint64_t seq, uint64_t at)
{
    uint64_t page = e->page & ~VMI_KIND, kind = e->page & VMI_KIND;
    img->twin[page] = 0; /* its slot is lost until the next checkpoint */
    img->hash[page] = kind == VMI_ZERO ? 0 : e->hash;
    img->where[page] = kind == VMI_INLINE ? at : kind == VMI_ZERO ? MARK_ZERO : MARK_AHEAD(seq);
    if (kind == VMI_AHEAD)
        vmb_bit_clear(img->logged, (size_t)page);
    else
        vmb_bit_set(img->logged, (size_t)page);
}

/* Lines of a page: how many bytes they are; 0: no memory, or the page cannot be read. */
static size_t enterlines(vmi_t *img, const vmi_record_t *r, const vmi_entry_t *e, const char *lines)
{
    char *twin = vmi_twin_make(img, e->page & ~VMI_KIND);
    if (twin == NULL)
        return 0;
    return (r->flags & VMI_WORDS ? vmi_words_put : vmi_lines_put)(twin, lines, e->hash, img->psize);
}

/* Note what the record at `at`, whose list is at img->rec, says. */
static int enter(vmi_t *img, const vmi_record_t *r, uint64_t at, uint64_t *changed)
{
    const vmi_entry_t *list = (const vmi_entry_t *)(const void *)img->rec, *e;
    const char *lines = (const char *)(list + r->count);
    uint64_t off = at + VMI_SECTOR;
    for (e = list; e < list + r->count; e++) {
        uint64_t page = e->page & ~VMI_KIND, kind = e->page & VMI_KIND;
        if (kind == VMI_LINED) {
            size_t n = enterlines(img, r, e, lines);
            if (n == 0)
                return -1;
            lines += n;
        } else
            enterpage(img, e, r->seq, off);
        vmb_bit_set(img->unsaved, (size_t)page);
        if (changed != NULL)
            vmb_bit_set(changed, (size_t)page);
        off += kind == VMI_INLINE ? img->psize : 0;
    }
    if (!(r->flags & VMI_SUMMED) && r->npages > img->npages)
        vmb_bits_set(img->unsaved, (size_t)img->npages, (size_t)(r->npages - img->npages));
    img->npages = r->npages;
    img->gen = r->gen;
    img->lastsum = r->sum;
    return 0;
}

/* The next record, if it is at `at`: its list is at img->rec then. */
static int nextat(vmi_t *img, vmi_record_t *r, uint64_t at)
{
    int ok = readall(img, r, sizeof *r, at);
    if (ok > 0)
        ok = sound(img, r, img->super.epoch, img->jseq);
    return ok > 0 ? contents(img, r, at) : ok;
}

/* Read records up to number `most`.  One begins where the one before ends, or with the next sector. */
static int64_t readrow(vmi_t *img, uint64_t most, uint64_t *changed)
{
    vmi_record_t r;
    uint64_t at;
    int64_t n = 0;
    int ok;
    for (; img->jseq < most; n++) {
        at = img->super.journal + img->jpos;
        ok = nextat(img, &r, at);
        if (ok == 0 && at % VMI_SECTOR != 0)
            ok = nextat(img, &r, at = VMB_UP(at, VMI_SECTOR));
        if (ok < 0)
            return -1;
        if (ok == 0)
            break;
        if (enter(img, &r, at, changed) != 0)
            return -1;
        judge(img, &r);
        img->jseq++;
        img->jpos = at + r.size - img->super.journal;
    }
    return n;
}

/* The first record that named a page ahead whose place has something else; `most` when none did. */
static int64_t wrongplace(vmi_t *img, const uint64_t *changed, uint64_t most)
{
    char *page = img->rec + img->recbytes - img->psize;
    uint64_t p = 0;
    for (;; p++) {
        p = vmb_bits_next1(changed, (size_t)p, img->npages);
        if (p >= img->npages)
            return (int64_t)most;
        if (vmb_bit(img->logged, (size_t)p) || (img->where[p] & 3) != 2 || img->where[p] >> 2 >= most)
            continue;
        if (vmi_io->read(img->fd, page, img->psize, vmi_offset(img, p)) < 0)
            return -1;
        if (vmi_sum(page, img->psize, 0) != img->hash[p])
            most = img->where[p] >> 2;
    }
}

/* Forget what records said of these pages. */
static void forget(vmi_t *img, uint64_t *changed)
{
    uint64_t p;
    for (p = 0; (p = vmb_bits_next1(changed, (size_t)p, img->npages)) < img->npages; p++) {
        img->where[p] = img->hash[p] = 0;
        img->twin[p] = 0;
        vmb_bit_clear(img->logged, (size_t)p);
    }
    img->ntwins = 0;
    vmb_bits_clear(img->unsaved, 0, (size_t)img->npages);
}

/* The row ends before record `jseq - 1` when that is part of a commit that was not decided. */
static int64_t undecided(vmi_t *img)
{
    int r = img->doubt[0] == 0 && img->doubt[1] == 0 ? 1 : vmi_resolve(img);
    return r < 0 ? -1 : (int64_t)img->jseq - (r == 0);
}

int64_t vmi_journal_read(vmi_t *img, uint64_t *changed)
{
    uint64_t jpos = img->jpos, jseq = img->jseq, npages = img->npages, gen = img->gen;
    uint64_t most = UINT64_MAX >> 3;
    int64_t n, wrong;
    img->unsynced = img->unsynced != 0; /* what is read here may be on the disk, and others know */
    if (vmi_journal_room(img, 1) != 0)
        return -1;
    for (;;) {
        img->doubt[0] = img->doubt[1] = 0;
        n = readrow(img, most, changed);
        wrong = n < 0 ? -1 : wrongplace(img, changed, img->jseq);
        if (wrong >= 0 && (uint64_t)wrong == img->jseq)
            wrong = undecided(img);
        if (wrong < 0 || (uint64_t)wrong >= img->jseq)
            return wrong < 0 ? -1 : n;
        if (jpos != 0) { /* what came before is not known any more: read all of it */
            errno = ESTALE;
            return -1;
        }
        forget(img, changed);
        most = (uint64_t)wrong;
        img->jpos = jpos;
        img->jseq = jseq;
        img->lastsum = 0;
        img->npages = npages;
        img->gen = gen;
    }
}

int vmi_journal_undo(vmi_t *img, uint64_t at)
{
    char nothing[VMI_SECTOR];
    memset(nothing, 0, sizeof nothing);
    if (vmi_io->write(img->fd, nothing, sizeof nothing, at) != 0)
        return -1;
    return vmi_io->sync(img->fd);
}

static int proves(const vmi_t *img, const vmi_record_t *r)
{
    return r->magic == VMI_RECORD && r->epoch == img->super.epoch && r->seq > img->jseq && (r->flags & VMI_AFTER) &&
           r->sum == vmi_sum(r, offsetof(vmi_record_t, sum), VMI_RECORD);
}

int vmi_journal_behind(vmi_t *img, uint64_t most)
{
    uint64_t at = img->super.journal + VMB_UP(img->jpos, VMI_SECTOR), end = VMB_MIN(most, UINT64_MAX / 2) + at;
    int64_t got = 1, i;
    if (vmi_journal_room(img, 1) != 0)
        return -1;
    for (; at < end && got > 0; at += (uint64_t)got) {
        got = vmi_io->read(img->fd, img->rec, VMI_CHUNK, at);
        for (i = 0; i + (int64_t)sizeof(vmi_record_t) <= got; i += (int64_t)VMI_SECTOR)
            if (proves(img, (const vmi_record_t *)(const void *)(img->rec + i)))
                return 1;
    }
    return got < 0 ? -1 : 0;
}

static int endat(vmi_t *img, uint64_t at)
{
    vmi_record_t r;
    int64_t got = vmi_io->read(img->fd, &r, sizeof r, at);
    if (got < 0)
        return -1;
    if (got < (int64_t)sizeof r || r.magic != VMI_RECORD || r.epoch != img->super.epoch)
        return 0;
    return vmi_journal_undo(img, at);
}

int vmi_journal_end(vmi_t *img)
{
    uint64_t at = img->super.journal + img->jpos;
    return endat(img, at) != 0 ? -1 : endat(img, VMB_UP(at, VMI_SECTOR));
}

int vmi_journal_page(vmi_t *img, uint64_t page, void *buf)
{
    uint64_t off = vmi_offset(img, page);
    const char *twin = vmi_twin(img, page);
    int64_t got;
    if (twin != NULL) {
        memcpy(buf, twin, img->psize);
        return 0;
    }
    if (page >= img->npages || (vmb_bit(img->logged, (size_t)page) && img->where[page] == MARK_ZERO)) {
        memset(buf, 0, img->psize);
        return 0;
    }
    if (vmb_bit(img->logged, (size_t)page))
        off = img->where[page];
    got = vmi_io->read(img->fd, buf, img->psize, off);
    if (got < 0)
        return -1;
    memset((char *)buf + got, 0, img->psize - (size_t)got);
    return 0;
}
