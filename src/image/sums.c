/* SPDX-License-Identifier: MIT */
/*
 * sums: the sum of each page that is in its place, kept in the file, so that what the disk, or somebody,
 * changes there later can be told.
 *
 *   | sums of unit g: leaf + span pages, 8 bytes each | leaf g | span g |
 *
 * Who opens does not look at them: that would cost something per page.  vmimagecheck() does.
 * They are written when pages come to their places: in a checkpoint, while the journal still says the same, so a
 * crash in the middle does no harm; and with pages that are written ahead and not named in the record, before
 * the sync that comes before it.  Words of other pages are written over by what they are.
 * Invariant: 5 of image.h.  What stands there for pages behind the last means nothing.
 * Cost: for each 64 KiB of sums in which one changed a read and a write.
 */
#include "image.h"

#include <string.h>

#define MOST ((size_t)8192) /* sums at a time */

/* The sum of a page as the commit has it that the file is to say; 0: zeros. */
static uint64_t current(const vmi_t *img, uint64_t p)
{
    const char *twin = vmi_twin(img, p);
    if (twin != NULL)
        return vmi_sum(twin, img->psize, 0);
    return vmb_bit(img->logged, (size_t)p) && img->where[p] % VMI_SECTOR != 0 ? 0 : img->hash[p];
}

/* From page p on, how many sums are one behind the other. */
static uint64_t row(const vmi_t *img, uint64_t p)
{
    uint64_t unit = img->leaf + img->span;
    return p < img->meta ? img->meta - p : unit - (p - img->meta) % unit;
}

/* Those of n pages from p on into sums. */
static int readsums(const vmi_t *img, uint64_t p, size_t n, uint64_t *sums)
{
    int64_t got = vmi_io->read(img->fd, sums, n * sizeof *sums, vmi_sumplace(img, p));
    if (got < 0)
        return -1;
    memset((char *)sums + got, 0, n * sizeof *sums - (size_t)got);
    return 0;
}

int vmi_sums_read(const vmi_t *img, uint64_t p, size_t n, uint64_t *sums)
{
    size_t i;
    if (readsums(img, p, n, sums) != 0)
        return -1;
    for (i = 0; (i = vmb_bits_next1(img->unsaved, (size_t)p + i, (size_t)p + n) - (size_t)p) < n; i++)
        sums[i] = current(img, p + i);
    return 0;
}

/* Those of n pages from p on, in one row, are put over what is there. */
static int saverow(vmi_t *img, uint64_t p, size_t n, uint64_t *sums)
{
    size_t i, low = n, high = 0;
    if (readsums(img, p, n, sums) != 0)
        return -1;
    for (i = 0; (i = vmb_bits_next1(img->unsaved, (size_t)p + i, (size_t)p + n) - (size_t)p) < n; i++) {
        uint64_t sum = current(img, p + i);
        if (sums[i] == sum)
            continue;
        sums[i] = sum;
        low = VMB_MIN(low, i);
        high = i + 1;
    }
    if (low < high && vmi_io->write(img->fd, sums + low, (high - low) * sizeof *sums,
                                    vmi_sumplace(img, p + low)) != 0)
        return -1;
    vmb_bits_clear(img->unsaved, (size_t)p, n);
    return 0;
}

int vmi_sums_save(vmi_t *img, uint64_t from, uint64_t to, void *buf)
{
    uint64_t p;
    size_t n;
    for (p = from; (p = vmb_bits_next1(img->unsaved, (size_t)p, (size_t)to)) < to; p += n) {
        n = (size_t)VMB_MIN(VMB_MIN(to - p, row(img, p)), (uint64_t)MOST);
        if (saverow(img, p, n, buf) != 0)
            return -1;
    }
    return 0;
}
