/* SPDX-License-Identifier: MIT */
/*
 * joint: one commit of several images.
 *
 *   image 1 (decider)              R+D          R: its pages, D: "commit J counts"
 *   image 2               R                D
 *   image 3                   R              D
 *                         synced   synced: done
 *
 * A record of commit J that is the last of its image, without D, is in doubt: it counts when the decider
 * has D.  The decider remembers the last 16 that it decided, in its superblock.  The others know where
 * it is from their first page, which is part of R: the path as it was given, or the same name beside them.
 * The commit before stands as long as the decider's record does not; what the others have is undone then.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

#define MOST 16

/* ---- in doubt ---- */

/* The name of `path`, in the folder of image img. */
static int beside(const vmi_t *img, const char *path, char *to)
{
    const char *slash = strrchr(img->path, '/'), *name = strrchr(path, '/');
    size_t n = slash != NULL ? (size_t)(slash - img->path) + 1 : 0;
    name = name != NULL ? name + 1 : path;
    if (n + strlen(name) >= VMI_PATH)
        return -1;
    memcpy(to, img->path, n);
    memcpy(to + n, name, strlen(name) + 1);
    return 0;
}

int vmi_resolve(vmi_t *img)
{
    char *page, path[VMI_PATH];
    const vmi_meta_t *head;
    int r = -1;
    if (img->sought[0] != 0 || img->sought[1] != 0) /* it is asked itself: what it doubts is not meant */
        return 0;
    page = vmos_map(NULL, img->psize, 0);
    if (page == NULL)
        return -1;
    head = (const vmi_meta_t *)(const void *)page;
    if (vmi_journal_page(img, 0, page) == 0 && memchr(head->at, '\0', sizeof head->at) != NULL) {
        r = vmi_ask(head->at, head->decider, img->doubt);
        if (r < 0 && beside(img, head->at, path) == 0)
            r = vmi_ask(path, head->decider, img->doubt);
    }
    vmos_unmap(page, img->psize);
    if (r < 0)
        errno = ENOLINK;
    return r;
}

/* ---- committing ---- */

typedef struct part {
    vmi_t *img;
    int wrote; /* its record is there */
} part_t;

static void sort(Vmalloc_t **vms, int n)
{
    int i, k;
    for (i = 1; i < n; i++)
        for (k = i; k > 0 && vms[k] < vms[k - 1]; k--) {
            Vmalloc_t *vm = vms[k];
            vms[k] = vms[k - 1];
            vms[k - 1] = vm;
        }
}

/* The errno for which an image cannot take part, 0: it can. */
static int unfit(const vmi_t *img)
{
    return img == NULL ? errno : img->failed ? EIO : img->turn ? 0 : EROFS;
}

/* All images, locked in the order of their addresses, so that two threads do not wait for each other. */
static int enterall(Vmalloc_t **vms, part_t *part, int n)
{
    Vmalloc_t *order[MOST];
    int i, e = 0;
    memcpy(order, vms, (size_t)n * sizeof *vms);
    sort(order, n);
    for (i = 1; i < n; i++)
        if (order[i] == order[i - 1])
            e = EINVAL;
    for (i = 0; i < n && e == 0; i++) {
        part[i].img = vmi_enterown(order[i]);
        e = unfit(part[i].img);
    }
    if (e == 0)
        return 0;
    for (i = 0; i < n && part[i].img != NULL; i++)
        vmi_leave(part[i].img);
    errno = e;
    return -1;
}

/* The record of one; what the program must not do meanwhile it must not do to any of them. */
static int write_one(part_t *p, const vmi_t *decider, const uint64_t joint[2])
{
    vmi_t *img = p->img;
    memcpy(img->head->decider, decider->super.id, sizeof img->head->decider);
    memcpy(img->head->at, decider->path, strlen(decider->path) + 1);
    vmr_lock(img->vm);
    p->wrote = vmi_commit(img, joint, img == decider ? VMI_DECISION : 0) == 0;
    vmr_unlock(img->vm);
    return p->wrote ? 0 : -1;
}

/* The list of the last record, n entries, to be unmapped; NULL. */
static vmi_entry_t *lastlist(const vmi_t *img, uint64_t *n, size_t *bytes)
{
    vmi_record_t r;
    vmi_entry_t *list;
    if (vmi_io->read(img->fd, &r, sizeof r, img->lastrec) != (int64_t)sizeof r)
        return NULL;
    *n = r.count;
    *bytes = VMB_UP(r.count * sizeof *list + 1, img->psize);
    list = vmos_map(NULL, *bytes, 0);
    if (list == NULL || r.count == 0 ||
        vmi_io->read(img->fd, list, r.count * sizeof *list, img->lastrec + r.list) ==
            (int64_t)(r.count * sizeof *list))
        return list;
    vmos_unmap(list, *bytes);
    return NULL;
}

/* The image is as it was before its record; what that has, and all that this process has copies of, may have
 * changed: memory that was given up since is no copy. */
static void undo(vmi_t *img)
{
    uint64_t n;
    size_t bytes;
    vmi_entry_t *list = lastlist(img, &n, &bytes);
    if (list == NULL) {
        vmi_fail(img);
        return;
    }
    if (vmi_journal_undo(img, img->lastrec) != 0 || vmi_load(img) != 0 || vmi_suspect(img) != 0)
        vmi_fail(img);
    while (n-- > 0)
        vmb_bit_set(img->dirty, (size_t)(list[n].page & ~VMI_KIND));
    vmos_unmap(list, bytes);
}

/* Not all wrote their records.  What the decider has is not known when its sync failed: then the next
 * opening finds out, and nothing is committed until then. */
static int giveup(part_t *part, int n, const vmi_t *decider)
{
    int i, e = errno;
    for (i = 0; i < n; i++)
        if (decider->failed)
            part[i].img->failed = EIO;
        else if (part[i].wrote)
            undo(part[i].img);
    errno = e;
    return -1;
}

/* Records are on the disk, also those of images whose commits do not wait for it. */
static int syncall(part_t *part, int n)
{
    int i, r = 0;
    for (i = 0; i < n && r == 0; i++) {
        vmr_lock(part[i].img->vm);
        r = vmi_sync(part[i].img);
        vmr_unlock(part[i].img->vm);
    }
    return r;
}

/* The last of the parts is the decider. */
static int commitparts(part_t *part, int n)
{
    uint64_t joint[2] = {vmos_random() | 1, vmos_random()};
    int i, e = errno;
    for (i = 0; i < n; i++)
        if ((i == n - 1 && syncall(part, i) != 0) || write_one(&part[i], part[n - 1].img, joint) != 0)
            return giveup(part, n, part[n - 1].img);
    if (syncall(&part[n - 1], 1) != 0)
        return giveup(part, n, part[n - 1].img);
    for (i = 0; i < n - 1; i++) {
        vmr_lock(part[i].img->vm);
        vmi_decide(part[i].img, joint); /* if that fails, the decider knows */
        vmr_unlock(part[i].img->vm);
    }
    errno = e;
    return 0;
}

static void makelast(part_t *part, int n, const Vmalloc_t *vm)
{
    part_t p;
    int i = 0;
    while (part[i].img->vm != vm)
        i++;
    p = part[i];
    part[i] = part[n - 1];
    part[n - 1] = p;
}

int vmcommitall(Vmalloc_t **vms, int n)
{
    part_t part[MOST];
    int r;
    if (vms == NULL || n < 1 || n > MOST) {
        errno = EINVAL;
        return -1;
    }
    memset(part, 0, sizeof part);
    if (enterall(vms, part, n) != 0)
        return -1;
    makelast(part, n, vms[0]);
    r = commitparts(part, n);
    while (n-- > 0)
        vmi_leave(part[n].img);
    return r;
}
