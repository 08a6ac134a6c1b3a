/* SPDX-License-Identifier: MIT */
/*
 * move: an image that lies at other addresses than in its last commit (VM_IMGANYWHERE).
 *
 *   page 0: base     what the pages are for: part of each commit
 *   img->home        the same of the last commit: where the superblock says after the next checkpoint
 *   img->base        where the region lies in this process
 *
 * Pages have the addresses of home when they come from the file.  Here what the library keeps in them gets those
 * of base: the way to the region, roots, words of the page map, and by vmr_move() the region and its method.  These
 * are changes like others: a commit makes them last, all or none, and page 0 with them; a reader's are in its
 * copies.  So home tells at each moment what to move from, whoever died when.
 *
 * Cost: that of the bookkeeping, in time, memory and the next commit; blocks are not looked at.
 */
#include "image.h"

#include <errno.h>

/* From page 0; in images of before it has no base. */
int vmi_home(vmi_t *img)
{
    const vmi_meta_t *page;
    uint64_t base;
    if (vmi_journal_room(img, 1) != 0 || vmi_journal_page(img, 0, img->rec) != 0)
        return -1;
    page = (const vmi_meta_t *)(const void *)img->rec;
    base = page->magic == VMI_META && page->base != 0 ? page->base : img->super.base;
    if (!vmi_canbe(base, img->limit)) {
        errno = EUCLEAN;
        return -1;
    }
    img->home = base;
    return 0;
}

int vmi_found(vmi_t *img)
{
    uint64_t off = (uintptr_t)img->head->data - img->home, len = img->head->len;
    img->data = NULL;
    if (img->head->data == NULL)
        return 0;
    if (len > img->limit || len < sizeof(Vmdata_t) || off > len - sizeof(Vmdata_t) || off % VM_ALIGN != 0)
        return -1;
    img->data = (Vmdata_t *)(void *)(img->base + off);
    return 0;
}

int vmi_move(vmi_t *img, Vmalloc_t *vm, int some)
{
    uintptr_t home = (uintptr_t)img->home, by = (uintptr_t)img->base - home;
    Vmmove_t m = {.from = (char *)home, .by = (ptrdiff_t)by, .some = some};
    if (by == 0)
        return 0;
    m.end = m.from + VMB_MIN((size_t)img->head->len, img->limit);
    img->head->base = (uintptr_t)img->base;
    if (img->head->data == NULL)
        return 0;
    vmr_shift(&m, &img->head->data);
    vmi_roots_move(img, &m);
    vmb_map_shift(img->base, (size_t)(m.end - m.from), home, (uintptr_t)m.end, by);
    vm->data = img->data;
    if (!m.wrong && img->head->data == img->data)
        return vmr_move(vm, &m);
    errno = EUCLEAN;
    return -1;
}
