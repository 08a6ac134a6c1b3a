/* SPDX-License-Identifier: MIT */
/*
 * super: the two superblocks, written in turns, each in a sector of its own.
 *
 * Invariant: at least one of them is whole on the disk at any moment, and the newer of those that are
 * whole tells of pages and a journal that are on the disk, because these were synced before.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

static uint64_t sumof(const vmi_super_t *s)
{
    return vmi_sum(s, offsetof(vmi_super_t, sum), VMI_MAGIC);
}

static uint64_t placeof(uint64_t seq)
{
    return seq % 2 == 0 ? 0 : VMI_SUPER1;
}

/* What is wrong with a superblock whose sum may be right, NULL: nothing. */
static const char *fault(const vmi_super_t *s)
{
    if (s->magic != VMI_MAGIC)
        return s->magic == __builtin_bswap64(VMI_MAGIC)
                   ? "it was made on a machine with the other byte order"
                   : "it is no image";
    if (s->order != VMI_ORDER)
        return "it was made on a machine with another byte order";
    if (s->version < VMI_OLDEST || s->version > VMI_VERSION)
        return s->version < VMI_OLDEST
                   ? "it is of an older version of the format, which this library does not read"
                   : "it is of a newer version of the format, which this library does not read";
    if (s->word != sizeof(void *))
        return "it was made by a program with another word size";
    if (s->page != vmos_pagesize())
        return "it was made on a system with another page size";
    return NULL;
}

int vmi_canbe(uint64_t base, uint64_t limit)
{
    uint64_t end = (uint64_t)1 << VMB_MAPBITS;
    return base != 0 && base % VMB_LEAFSPAN == 0 && base < end && limit <= end - base && limit != 0 &&
           limit / 512 < base;
}

static const char *damage(const vmi_super_t *s)
{
    uint64_t end = (uint64_t)1 << VMB_MAPBITS;
    if (!vmi_canbe(s->base, s->limit))
        return "its header names addresses that cannot be";
    if (s->npages > end / (VMB_MAPBITS > 40 ? 1024 : 2) / s->page || s->journal < VMI_HOME || s->journal % VMI_SECTOR != 0 ||
        s->journal >> 62 != 0)
        return "its header names sizes that cannot be";
    return NULL;
}

int vmi_super_read(vmi_t *img, const char **why)
{
    vmi_super_t s[2];
    int i, best = -1;
    *why = "it cannot be read";
    for (i = 0; i < 2; i++) {
        memset(&s[i], 0, sizeof s[i]);
        if (vmi_io->read(img->fd, &s[i], sizeof s[i], placeof((uint64_t)i)) < 0)
            return -1;
        if (s[i].magic == VMI_MAGIC && s[i].sum == sumof(&s[i]) &&
            (best < 0 || s[i].seq > s[best].seq))
            best = i;
    }
    i = best >= 0 ? best : s[0].magic == VMI_MAGIC || s[1].magic != VMI_MAGIC ? 0 : 1;
    errno = EPROTO;
    if ((*why = fault(&s[i])) != NULL)
        return -1;
    errno = EUCLEAN;
    *why = best < 0 ? "both its headers are damaged" : damage(&s[best]);
    if (*why != NULL)
        return -1;
    img->super = s[best];
    return 0;
}

int vmi_super_write(vmi_t *img)
{
    uint32_t version = img->super.version;
    img->super.version = VMI_VERSION;
    img->super.seq++;
    img->super.sum = sumof(&img->super);
    if (vmi_io->write(img->fd, &img->super, sizeof img->super, placeof(img->super.seq)) == 0)
        return vmi_io->sync(img->fd) == 0 ? 0 : vmi_fail(img);
    img->super.version = version;
    img->super.seq--; /* the same place again: the other one is whole */
    return -1;
}

/* An image without pages.  Nothing is there before the first superblock is. */
int vmi_super_make(vmi_t *img, size_t limit, void *wish)
{
    vmi_super_t *s = &img->super;
    *s = (vmi_super_t){.magic = VMI_MAGIC,
                       .version = VMI_VERSION,
                       .order = VMI_ORDER,
                       .word = sizeof(void *),
                       .page = (uint32_t)vmos_pagesize(),
                       .id = {vmos_random(), vmos_random()},
                       .seq = 1,
                       .epoch = 1};
    if (vmi_place(img, wish, limit) != 0)
        return -1;
    s->base = img->home = (uintptr_t)img->base;
    s->limit = img->limit;
    s->journal = VMI_HOME + ((uint64_t)6 << 20);
    if (vmi_io->truncate(img->fd, VMI_HOME) == 0 && vmi_super_write(img) == 0 &&
        vmi_io->syncname(img->path) == 0)
        return 0;
    vmi_unview(img);
    return -1;
}
