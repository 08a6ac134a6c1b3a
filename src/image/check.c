/* SPDX-License-Identifier: MIT */
/*
 * check: whether each page of the last commit has its sum.
 *
 * The file is read as it is, without a region: that is what the structures of a region are looked at
 * for afterwards.  What is a hole in the file is known to be zeros without being read.
 * Cost: reading what the file has, and its sums; 2000 bytes of stack.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

#define MOST ((size_t)128)        /* pages at a time */
#define PROGRESS ((size_t)16384)  /* pages from one report to the next */

typedef struct looking {
    vmi_t *img;
    Vmimgpage_f f;
    void *handle;
    char *buf;
    uint64_t data, hole; /* the file has something in [data, hole), and nothing between the batch and that */
    uint64_t sums[MOST];
    size_t told;         /* pages looked at when progress was last told */
    long wrong;
} looking_t;

static int tell(looking_t *l, uint64_t p, int wrong)
{
    Vmimgpage_t page = {.addr = vmi_addrof(l->img, p),
                        .size = l->img->psize,
                        .offset = (size_t)vmi_offset(l->img, p),
                        .wrong = wrong,
                        .done = (size_t)p + 1,
                        .all = (size_t)l->img->npages};
    l->wrong += wrong;
    return l->f != NULL && l->f(&page, l->handle) < 0 ? -1 : 0;
}

/* Whether the file may have something in [from, to). */
static int filled(looking_t *l, uint64_t from, uint64_t to)
{
    int r;
    if (from >= l->hole) {
        l->data = from;
        r = vmos_disk_data(l->img->fd, &l->data, &l->hole);
        if (r <= 0) { /* nothing from here on, or it cannot be told */
            l->data = r == 0 ? UINT64_MAX : from;
            l->hole = UINT64_MAX;
        }
    }
    return l->data < to;
}

/* n pages from p on, in one run, as the last commit has them. */
static int contents(looking_t *l, uint64_t p, size_t n)
{
    vmi_t *img = l->img;
    int64_t got = 0;
    size_t i;
    if (filled(l, vmi_offset(img, p), vmi_end(img, p + n)))
        got = vmi_io->read(img->fd, l->buf, n * img->psize, vmi_offset(img, p));
    if (got < 0)
        return -1;
    memset(l->buf + got, 0, n * img->psize - (size_t)got);
    for (i = 0; (i = vmb_bits_next1(img->logged, (size_t)p + i, (size_t)p + n) - (size_t)p) < n; i++)
        if (vmi_journal_page(img, p + i, l->buf + i * img->psize) != 0)
            return -1;
    return 0;
}

/* n pages from p on, in one run; where the disk does not give them, one by one: those that it keeps are
 * wrong. */
static int batch(looking_t *l, uint64_t p, size_t n)
{
    const char *at = l->buf;
    size_t i, size = l->img->psize;
    if (contents(l, p, n) != 0) {
        if (errno != EIO)
            return -1;
        for (i = 0; n > 1 && i < n; i++)
            if (batch(l, p + i, 1) != 0)
                return -1;
        return n > 1 ? 0 : tell(l, p, 1);
    }
    if (vmi_sums_read(l->img, p, n, l->sums) != 0)
        return -1;
    for (i = 0; i < n; i++, at += size)
        if ((l->sums[i] == 0 ? !vmi_iszero(at, size) : l->sums[i] != vmi_sum(at, size, 0)) && tell(l, p + i, 1) != 0)
            return -1;
    if (p + n - l->told < PROGRESS)
        return 0;
    l->told = (size_t)p + n;
    return tell(l, p + n - 1, 0);
}

static long all(looking_t *l)
{
    vmi_t *img = l->img;
    uint64_t p;
    size_t n;
    if (vmi_journal_room(img, 1) != 0)
        return -1;
    l->buf = img->rec;
    for (p = 0; p < img->npages; p += n) {
        n = (size_t)VMB_MIN(img->npages - p, vmi_run(img, p));
        n = VMB_MIN(n, VMB_MIN(MOST, VMI_CHUNK / img->psize));
        if (batch(l, p, n) != 0)
            return -1;
    }
    return l->wrong;
}

#define TRIES 64

/* Whether the journal ends in the middle: not where a commit was cut off, but where the disk, or somebody, changed
 * it.  Who writes meanwhile makes it longer: then there is more to read, and no end yet.  -1: it does, or cannot be
 * read. */
static int torn(vmi_t *img, char *why)
{
    int64_t more = 1;
    int i, r = 1;
    for (i = 0; more > 0 && i < TRIES; i++) {
        r = vmi_journal_behind(img, UINT64_MAX);
        if (r <= 0)
            return r;
        more = vmi_journal_read(img, img->copied);
        vmb_bits_clear(img->copied, 0, (size_t)img->npages);
    }
    if (more != 0)
        return more > 0 ? 0 : -1;
    errno = EUCLEAN;
    vmi_refuse(why, VMI_DAMAGED, img->path, (unsigned long)img->gen + 1);
    return -1;
}

long vmimagecheck(const char *path, Vmimgpage_f f, Void_t *handle)
{
    looking_t l = {.f = f, .handle = handle};
    char why[160] = "";
    int e = errno;
    long r;
    if ((l.img = vmi_peek(path, why)) == NULL)
        return -1;
    r = torn(l.img, why) != 0 ? -1 : all(&l);
    if (r < 0)
        vmi_refuse(why, "%s: %s", path, vmi_reason(errno));
    vmi_unpeek(l.img);
    if (r >= 0)
        errno = e;
    return r;
}
