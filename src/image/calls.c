/* SPDX-License-Identifier: MIT */
/*
 * calls: what a program does with an image that is open.
 *
 * Each takes the image's lock, and for what reads or replaces memory the region's: so calls of
 * several threads come one after the other.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

/* The image, locked, when this process may write it now. */
static vmi_t *writable(Vmalloc_t *vm)
{
    vmi_t *img = vmi_enterown(vm);
    if (img != NULL && !img->turn) {
        vmi_leave(img);
        errno = EROFS;
        return NULL;
    }
    return img;
}

int vmcommit(Vmalloc_t *vm)
{
    vmi_t *img = writable(vm);
    int r;
    if (img == NULL)
        return -1;
    vmr_lock(vm);
    r = vmi_commit(img, NULL, 0);
    vmr_unlock(vm);
    vmi_leave(img);
    return r;
}

int vmsync(Vmalloc_t *vm)
{
    vmi_t *img = writable(vm);
    int r;
    if (img == NULL)
        return -1;
    if (img->failed)
        errno = EIO;
    r = img->failed ? -1 : vmi_sync(img);
    vmi_leave(img);
    return r;
}

/* ---- what the program tells of its stores ---- */

int vmtell(Vmalloc_t *vm, Void_t *addr, size_t size, int on)
{
    vmi_t *img = writable(vm);
    char *from = addr;
    int e = errno, r = -1;
    if (img == NULL)
        return -1;
    vmr_lock(vm);
    if (from < img->base || size > img->head->len || (size_t)(from - img->base) > img->head->len - size) {
        errno = EINVAL;
    } else {
        vmi_track_tell(img, (char *)VMB_UP(from, img->psize), (char *)VMB_DOWN(from + size, img->psize), on);
        errno = e;
        r = 0;
    }
    vmr_unlock(vm);
    vmi_leave(img);
    return r;
}

/* No lock of the image: a bit is set, and nothing else looked at that changes. */
int vmstored(Vmalloc_t *vm, const Void_t *addr, size_t size)
{
    vmi_t *img = vmi_find(vm);
    const char *from = addr;
    if (img == NULL || from < img->base || size > img->limit || (size_t)(from - img->base) > img->limit - size) {
        errno = EINVAL;
        return -1;
    }
    vmi_track_stored(img, from, from + size);
    return 0;
}

/* ---- going back, and on ---- */

int vmdrop(Vmalloc_t *vm)
{
    vmi_t *img = vmi_find(vm);
    if (img == NULL)
        return -1;
    img->flags &= ~(unsigned)VM_IMGCLOSE;
    return vmclose(vm);
}

/* Where that fails, some addresses are those of now and some are not. */
static int swap(void *arg)
{
    vmi_t *img = arg;
    int r, e;
    vmi_track_untell(img);
    r = vmi_back(img);
    e = errno;
    if (vmi_move(img, img->vm, r != 0) != 0)
        return -1;
    errno = e;
    return r;
}

int vmrollback(Vmalloc_t *vm)
{
    vmi_t *img = vmi_enterown(vm);
    int r = -1;
    if (img == NULL)
        return -1;
    if (img->failed) /* which commit is the last, the next opening finds out */
        errno = EIO;
    else if (img->flags & VM_IMGTURNS && !img->turn)
        errno = EROFS;
    else
        r = vmr_swap(vm, swap, img);
    if (r != 0 && img->turn)
        img->failed = EIO; /* memory is neither the one nor the other */
    vmi_leave(img);
    return r;
}

static int begin(vmi_t *img)
{
    if (vmi_lockwriter(img, 2, 1) != 0)
        return -1;
    if (vmr_swap(img->vm, swap, img) != 0 || vmi_journal_end(img) != 0) {
        img->failed = EIO;
        vmi_lockwriter(img, 0, 0);
        errno = EIO;
        return -1;
    }
    img->stale = 1; /* one who died in its turn may have written ahead */
    img->turn = 1;
    return 0;
}

static int end(vmi_t *img)
{
    int r = img->safety == VM_IMGPROCESS || img->failed ? 0 : vmi_sync(img);
    img->turn = 0;
    vmi_window_drop(img); /* others may cut the file */
    vmi_lockwriter(img, 0, 0);
    return r;
}

int vmturn(Vmalloc_t *vm, int on)
{
    vmi_t *img = vmi_enterown(vm);
    int r = 0;
    if (img == NULL)
        return -1;
    if (!(img->flags & VM_IMGTURNS) || (on && img->failed)) {
        errno = on && img->failed ? EIO : EINVAL;
        r = -1;
    } else if (!on != !img->turn) {
        r = on ? begin(img) : end(img);
    }
    vmi_leave(img);
    return r;
}

int vmimgstat(Vmalloc_t *vm, Vmimgstat_t *st)
{
    vmi_t *img = vmi_enter(vm);
    if (img == NULL)
        return -1;
    memset(st, 0, sizeof *st);
    st->commits = (unsigned long)img->gen;
    st->changed = (unsigned long)img->changed;
    st->pages = (unsigned long)img->npages;
    st->journal = (unsigned long)img->jpos;
    st->checkpoints = (unsigned long)img->checkpoints;
    st->replayed = (unsigned long)img->replayed;
    st->pagesize = img->psize;
    st->limit = img->limit;
    st->base = img->base;
    st->home = (Void_t *)(uintptr_t)img->home;
    st->tier = img->tier;
    st->safety = img->safety;
    st->failed = img->failed;
    vmi_leave(img);
    return 0;
}
