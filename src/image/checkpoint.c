/* SPDX-License-Identifier: MIT */
/*
 * checkpoint: the journal's pages go to their places, and the journal starts anew.
 *
 *   1. (commits that were not synced: sync)   2. write each page to its place, or punch it, and its sum
 *   3. sync
 *   4. the superblock with the next epoch, sync
 *
 * Until 4 is done the journal can be played again from its start, so a crash in the middle does no harm;
 * afterwards its records are of an epoch that has passed.  A journal that lies where pages must go is
 * first copied behind them as it is.  Of pages with twins these are written, and dropped afterwards.
 * Cost: the distinct pages in the journal, read and written once, and two to three syncs.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

#define STEP ((uint64_t)64 << 10)

/* Where a journal may begin when the image has so many pages: some room behind them. */
static uint64_t journalfor(const vmi_t *img, uint64_t end)
{
    uint64_t home = vmi_end(img, img->npages);
    end = VMB_MAX(end, home);
    return VMB_UP(end + end / 4 + ((uint64_t)1 << 20), STEP);
}

static int copyrange(vmi_t *img, uint64_t from, uint64_t to, uint64_t n)
{
    char *buf = img->rec + img->recbytes - VMI_CHUNK;
    uint64_t done;
    for (done = 0; done < n;) {
        size_t part = (size_t)VMB_MIN(n - done, (uint64_t)VMI_CHUNK);
        if (vmi_io->read(img->fd, buf, part, from + done) != (int64_t)part ||
            vmi_io->write(img->fd, buf, part, to + done) != 0)
            return -1;
        done += part;
    }
    return 0;
}

/* The journal goes, as it is, to where it is in nobody's way. */
static int movejournal(vmi_t *img, uint64_t end)
{
    uint64_t from = img->super.journal, to = VMB_MAX(journalfor(img, end), from + img->jpos), p;
    to = VMB_UP(to, STEP);
    if (copyrange(img, from, to, img->jpos) != 0 || vmi_io->sync(img->fd) != 0)
        return -1;
    img->super.journal = img->jfilled = to;
    img->stale = 1;
    if (vmi_super_write(img) != 0) {
        img->super.journal = from;
        return -1;
    }
    for (p = 0; (p = vmb_bits_next1(img->logged, (size_t)p, img->npages)) < img->npages; p++)
        if (img->where[p] % VMI_SECTOR == 0)
            img->where[p] += to - from;
    return 0;
}

/* Whether this errno says that the file system cannot make holes. */
static int nopunch(int e)
{
    return e == EOPNOTSUPP || e == ENOTSUP || e == ENOSYS || e == EINVAL;
}

int vmi_zeros(vmi_t *img, uint64_t from, uint64_t to, char *buf, size_t size)
{
    if (vmi_io->punch(img->fd, from, to - from) == 0)
        return 0;
    if (!nopunch(errno))
        return -1;
    memset(buf, 0, size);
    for (; from < to; from += size)
        if (vmi_io->write(img->fd, buf, (size_t)VMB_MIN(to - from, (uint64_t)size), from) != 0)
            return -1;
    return 0;
}

/* Pages from p on that lie one behind the other in the journal as in their places; at most max. */
static size_t stretch(const vmi_t *img, uint64_t p, size_t max)
{
    size_t n = 1;
    max = VMB_MIN(max, (size_t)vmi_run(img, p));
    while (n < max && p + n < img->npages && vmb_bit(img->logged, (size_t)p + n) && img->twin[p + n] == 0 &&
           img->where[p + n] == img->where[p] + n * img->psize)
        n++;
    return n;
}

/* Pages from p on that have twins, to their places: how many; 0: could not be written. */
static size_t applytwins(vmi_t *img, uint64_t p, char *buf)
{
    size_t n = 0, max = VMB_MIN(VMI_CHUNK / img->psize, (size_t)vmi_run(img, p));
    for (; n < max && p + n < img->npages && img->twin[p + n] != 0; n++)
        memcpy(buf + n * img->psize, vmi_twin(img, p + n), img->psize);
    return vmi_io->write(img->fd, buf, n * img->psize, vmi_offset(img, p)) == 0 ? n : 0;
}

static int apply(vmi_t *img)
{
    char *buf = img->rec + img->recbytes - VMI_CHUNK;
    uint64_t p;
    size_t n;
    for (p = 0; (p = vmb_bits_next1(img->logged, (size_t)p, img->npages)) < img->npages; p += n) {
        n = 1;
        if (img->twin[p] != 0) {
            if ((n = applytwins(img, p, buf)) == 0)
                return -1;
            continue;
        }
        if (img->where[p] % VMI_SECTOR != 0) {
            if (vmi_zeros(img, vmi_offset(img, p), vmi_end(img, p + 1), buf, img->psize) != 0)
                return -1;
            continue;
        }
        n = stretch(img, p, VMI_CHUNK / img->psize);
        if (copyrange(img, img->where[p], vmi_offset(img, p), n * img->psize) != 0)
            return -1;
    }
    return 0;
}

/* The file reaches to the end of its pages, so that all of them can be mapped. */
static int fillup(vmi_t *img)
{
    vmos_disk_stat_t st;
    uint64_t home = vmi_end(img, img->npages);
    if (vmos_disk_stat(img->fd, &st) != 0)
        return -1;
    return st.size < home ? vmi_io->truncate(img->fd, home) : 0;
}

static void restart(vmi_t *img)
{
    uint64_t p;
    for (p = 0; (p = vmb_bits_next1(img->logged, (size_t)p, img->npages)) < img->npages; p++) {
        const char *twin = vmi_twin(img, p);
        if (twin != NULL)
            img->hash[p] = vmi_sum(twin, img->psize, 0);
        img->where[p] = img->twin[p] = 0;
        vmb_bit_clear(img->logged, (size_t)p);
    }
    img->ntwins = 0;
    img->jpos = img->jseq = img->lastsum = 0;
    img->unsynced = 0;
    img->checkpoints++;
}

/* Where it begins after a checkpoint: where it did, as long as that is out of the way, for what was written once is
 * cheaper to write again. */
static uint64_t nextjournal(const vmi_t *img, uint64_t end)
{
    uint64_t was = img->super.journal, to = journalfor(img, end);
    return to > was && was >= VMB_MAX(end, vmi_end(img, img->npages)) ? was : to;
}

/* Whether records can be written where the journal would go (`ulimit -f`): if not it stays, and so do commits that
 * are small enough. */
static int reachable(const vmi_t *img, uint64_t end)
{
    uint64_t to = nextjournal(img, end);
    return to <= img->super.journal || vmos_disk_fits(to + VMI_CHUNK);
}

static int run(vmi_t *img, uint64_t end)
{
    vmi_super_t was = img->super;
    if (!reachable(img, end))
        return -1;
    vmi_window_drop(img);
    if (img->unsynced && vmi_io->sync(img->fd) != 0)
        return vmi_fail(img);
    img->unsynced = 0;
    if (img->jpos > 0 && vmi_end(img, img->npages) > img->super.journal && movejournal(img, end) != 0)
        return -1;
    was.journal = img->super.journal;
    was.seq = img->super.seq;
    if (apply(img) != 0 || vmi_sums_save(img, 0, img->npages, img->rec) != 0 || fillup(img) != 0)
        return -1;
    if (img->jpos > 0 && vmi_io->sync(img->fd) != 0)
        return vmi_fail(img);
    img->super.epoch++;
    img->super.base = img->home;
    img->super.gen = img->gen;
    img->super.npages = img->npages;
    img->super.journal = nextjournal(img, end);
    if (vmi_super_write(img) != 0) {
        was.seq = img->super.seq;
        img->super = was;
        return -1;
    }
    if (img->super.journal != was.journal) {
        img->jfilled = img->super.journal;
        img->stale = 1; /* places of pages to come have records in them */
    }
    restart(img);
    return 0;
}

int vmi_checkpoint(vmi_t *img, uint64_t end)
{
    int r;
    if (vmi_journal_room(img, 1) != 0 || vmos_disk_lock(img->fd, VMI_READER, 2, 0) != 0)
        return -1;
    r = run(img, end);
    vmos_disk_lock(img->fd, VMI_READER, 0, 0);
    return r;
}
