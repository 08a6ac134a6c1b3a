/* SPDX-License-Identifier: MIT */
/*
 * open: from a path to an image, and back.
 *
 *   file -> lock -> superblock -> journal -> (a writer: checkpoint) -> addresses -> view -> tracking
 *
 * Nothing of it reads the pages.  A step that fails says why, and what the steps before it did is
 * undone.  The structure lies in memory of the system, because images must work where the library is
 * malloc itself.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

static vmos_lock_t listlock;
static vmi_t *images; /* all of the process */
static char lastwhy[160];

/* In the child of a fork: whoever held the lock is not there.  What it protects is whole at each moment, but for the
 * reason.  The right to write is the parent's: were the child to keep what stands for it, nobody could write after the
 * parent's death for as long as the child lives. */
static void forked(void)
{
    vmi_t *img;
    listlock = (vmos_lock_t){0, 0};
    for (img = images; img != NULL; img = img->next)
        if (img->lockfd >= 0) {
            vmos_object_close(img->lockfd);
            img->lockfd = -1;
        }
}

static void watchforks(void)
{
    static int watching;
    if (!__atomic_exchange_n(&watching, 1, __ATOMIC_RELAXED))
        vmos_onfork(NULL, NULL, forked);
}

/* ---- reasons ---- */

const char *vmi_reason(int e)
{
    switch (e) {
    case EBUSY:
        return "another process or this one has it open for writing";
    case EADDRINUSE:
        return "the addresses that it was made for are taken";
    case ENOMEM:
        return "there is no memory, or not the addresses, that it needs";
    case ENOENT:
        return "it is not there";
    case EEXIST:
        return "it is there already";
    case EACCES:
        return "permission denied";
    case EROFS:
        return "the medium is read-only";
    case ENOSPC:
        return "the disk is full";
    case EFBIG:
        return "files of this process, or on this medium, may not be that long";
    case EDQUOT:
        return "the quota is used up";
    case EIO:
        return "the disk reports an error";
    case EINVAL:
        return "it is no regular file, or the options make no sense";
    case ENOLINK:
        return "a commit of several images was cut off, and the one that decides is not there";
    case ENAMETOOLONG:
        return "the path is too long";
    default:
        return "the system refuses";
    }
}

/* Keeps errno. */
void vmi_refuse(char *why, const char *format, ...)
{
    va_list ap;
    vmb_out_t o;
    if (why[0] != '\0')
        return;
    vmb_out_init(&o, why, 160);
    va_start(ap, format);
    vmb_vprintf(&o, format, ap);
    va_end(ap);
    vmos_lock(&listlock);
    memcpy(lastwhy, why, sizeof lastwhy);
    vmos_unlock(&listlock);
}

size_t vmimagewhy(char *buf, size_t n)
{
    size_t len;
    vmos_lock(&listlock);
    len = strlen(lastwhy);
    if (buf != NULL && n > 0) {
        memcpy(buf, lastwhy, VMB_MIN(len, n - 1));
        buf[VMB_MIN(len, n - 1)] = '\0';
    }
    vmos_unlock(&listlock);
    return len;
}

/* ---- the structure and its tables ---- */

static vmi_t *make(const char *path, const Vmimgopt_t *opt)
{
    size_t bytes = VMB_UP(sizeof(vmi_t), vmos_pagesize());
    vmi_t *img;
    watchforks();
    if (path == NULL || strlen(path) >= VMI_PATH) {
        errno = path == NULL ? EINVAL : ENAMETOOLONG;
        return NULL;
    }
    img = vmos_map(NULL, bytes, VMOS_SMALL);
    if (img == NULL)
        return NULL;
    img->bytes = bytes;
    img->pid = img->entered = vmos_pid();
    img->fd = img->lockfd = img->uffd = img->pagemap = -1;
    img->flags = opt->flags;
    img->safety = opt->safety;
    img->group = opt->group != 0 ? opt->group : 100;
    img->threshold = opt->journal;
    img->writer = vmos_random();
    memcpy(img->path, path, strlen(path) + 1);
    return img;
}

/* One mapping: two and a half words and seven bits for each page that the image can have. */
static int tables(vmi_t *img)
{
    size_t words = VMB_UP(img->maxpages * 8, img->psize), bits = VMB_UP(img->maxpages / 8 + 64, img->psize);
    size_t halves = VMB_UP(img->maxpages * sizeof *img->twin, img->psize);
    char *p = vmos_map(NULL, 2 * words + halves + 7 * bits, VMOS_RESERVE | VMOS_SMALL);
    if (p == NULL)
        return -1;
    img->tablebytes = 2 * words + halves + 7 * bits;
    img->hash = (uint64_t *)(void *)p;
    img->where = (uint64_t *)(void *)(p + words);
    img->twin = (uint32_t *)(void *)(p + 2 * words);
    p += 2 * words + halves;
    img->dirty = (uint64_t *)(void *)p;
    img->copied = (uint64_t *)(void *)(p + bits);
    img->logged = (uint64_t *)(void *)(p + 2 * bits);
    img->unsaved = (uint64_t *)(void *)(p + 3 * bits);
    img->told = (uint64_t *)(void *)(p + 4 * bits);
    img->ishot = (uint64_t *)(void *)(p + 5 * bits);
    img->wasin = (uint64_t *)(void *)(p + 6 * bits);
    return 0;
}

/* viewed: the addresses are reserved. */
static void discard(vmi_t *img, int viewed)
{
    int e = errno;
    if (viewed)
        vmi_unview(img);
    vmi_track_close(img);
    vmi_window_drop(img);
    if (img->hash != NULL)
        vmos_unmap(img->hash, img->tablebytes);
    if (img->rec != NULL)
        vmos_unmap(img->rec, img->recbytes);
    vmi_twin_close(img);
    if (img->lockfd >= 0)
        vmos_object_close(img->lockfd);
    if (img->fd >= 0)
        vmi_io->close(img->fd);
    vmos_unmap(img, img->bytes);
    errno = e;
}

/* ---- the file ---- */

static int openfile(vmi_t *img, int mode)
{
    int flags = img->flags & VM_IMGREAD ? 0 : VMOS_DISK_WRITE;
    if (!(img->flags & (VM_IMGREAD | VM_IMGEXIST)))
        flags |= img->flags & VM_IMGNEW ? VMOS_DISK_CREATE | VMOS_DISK_NEW : VMOS_DISK_CREATE;
    img->fd = vmi_io->open(img->path, flags, mode != 0 ? mode : 0600);
    return img->fd < 0 ? -1 : 0;
}

static int openhere(const vmi_t *img)
{
    const vmi_t *other;
    int found = 0;
    vmos_lock(&listlock);
    for (other = images; other != NULL; other = other->next)
        found |= other->dev == img->dev && other->ino == img->ino;
    vmos_unlock(&listlock);
    return found;
}

/* Whether sector `at` of a file that has it holds nothing. */
static int blank(const vmi_t *img, uint64_t at)
{
    char sector[VMI_SECTOR];
    int64_t i, n = vmi_io->read(img->fd, sector, sizeof sector, at);
    for (i = 0; i < n; i++)
        if (sector[i] != 0)
            return 0;
    return n >= 0;
}

/* Whether the file holds no more than what a creator that died may have left. */
static int unborn(const vmi_t *img, uint64_t size)
{
    return size == 0 || (size == VMI_HOME && blank(img, 0) && blank(img, VMI_SUPER1));
}

int vmi_lockwriter(const vmi_t *img, int mode, int wait)
{
    return vmos_disk_lock(img->lockfd >= 0 ? img->lockfd : img->fd, VMI_WRITER, mode, wait);
}

/* A lock is gone with its opening, and an opening is there as long as a mapping of it: so that of the writer, which
 * children of fork() must not keep, is by another one, where that can be had. */
static int lockfile(vmi_t *img)
{
    int e = errno;
    if (img->flags & VM_IMGREAD)
        return vmos_disk_lock(img->fd, VMI_READER, 1, 1);
    img->lockfd = vmos_object_again(img->fd);
    errno = e;
    return vmi_lockwriter(img, 2, (img->flags & (VM_IMGWAIT | VM_IMGTURNS)) != 0);
}

/* ---- an image that is there ---- */

/* The journal's commits: a writer moves them to their places, a reader puts them over its view. */
static int recover(vmi_t *img, char *why)
{
    int behind;
    if (vmi_load(img) != 0)
        return -1;
    if (img->flags & VM_IMGREAD)
        return 0;
    behind = img->flags & VM_IMGCUT ? 0 : vmi_journal_behind(img, VMI_CHUNK);
    if (behind > 0) {
        errno = EUCLEAN;
        vmi_refuse(why, VMI_DAMAGED, img->path, (unsigned long)img->gen + 1);
    }
    if (behind != 0 || vmi_journal_end(img) != 0)
        return -1;
    img->unsynced = 1; /* who wrote what is here may have died before its sync */
    if (img->jpos > 0 && vmi_checkpoint(img, 0) != 0 && errno != EBUSY && !vmi_isfull(errno))
        return -1; /* a journal that fills the disk stays until there is room, as one that readers need */
    return 0;
}

/* The file has what its superblock and journal say; pages at the end may only be in the journal. */
static int whole(vmi_t *img, char *why)
{
    vmos_disk_stat_t st;
    if (vmos_disk_stat(img->fd, &st) != 0)
        return -1;
    if (st.size >= vmi_end(img, img->super.npages))
        return 0;
    errno = EUCLEAN;
    vmi_refuse(why, "%s: the file was cut: %lu bytes of pages are missing", img->path,
               (unsigned long)(vmi_end(img, img->super.npages) - st.size));
    return -1;
}

/* Fill the end of the view when the last pages are only in the journal. */
static int mapall(vmi_t *img)
{
    vmos_disk_stat_t st;
    uint64_t npages = img->npages, have;
    int r;
    if (vmos_disk_stat(img->fd, &st) != 0)
        return -1;
    have = vmi_pageat(img, st.size);
    img->npages = VMB_MIN(npages, have);
    r = vmi_view(img);
    img->npages = npages;
    return r != 0 ? -1 : vmi_overlay(img);
}

static int openold(vmi_t *img, const Vmimgopt_t *opt, char *why, int *viewed)
{
    const char *wrong;
    size_t limit;
    if (vmi_super_read(img, &wrong) != 0) {
        vmi_refuse(why, "%s: %s", img->path, wrong);
        return -1;
    }
    limit = (size_t)VMB_MAX(img->super.limit, (uint64_t)opt->limit);
    vmi_measure(img, img->super.base, limit);
    if (tables(img) != 0 || whole(img, why) != 0 || recover(img, why) != 0)
        return -1;
    if ((img->flags & VM_IMGANYWHERE ? vmi_anyplace(img, opt->addr, limit) : vmi_replace(img, limit)) != 0) {
        if (errno == EADDRINUSE && !(img->flags & VM_IMGANYWHERE))
            vmi_refuse(why, "%s: the addresses %p to %p that it was made for are taken",
                       img->path, (void *)img->low, (void *)(img->base + img->limit));
        return -1;
    }
    *viewed = 1;
    if (!(img->flags & VM_IMGREAD) && img->super.limit < limit) {
        img->super.limit = limit;
        if (vmi_super_write(img) != 0)
            return -1;
    }
    if (mapall(img) != 0)
        return -1;
    if (img->npages > 0 && img->head->magic != VMI_META) {
        errno = EUCLEAN;
        vmi_refuse(why, "%s: its first page is damaged", img->path);
        return -1;
    }
    return 0;
}

static int opennew(vmi_t *img, const Vmimgopt_t *opt, int *viewed)
{
    if (img->flags & VM_IMGREAD) {
        errno = ENOENT;
        return -1;
    }
    if (vmi_super_make(img, opt->limit, opt->addr) != 0)
        return -1;
    *viewed = 1;
    return tables(img);
}

static int start(vmi_t *img, const Vmimgopt_t *opt, char *why, int *viewed)
{
    vmos_disk_stat_t st;
    int r;
    if (openfile(img, opt->mode) != 0 || vmos_disk_stat(img->fd, &st) != 0)
        return -1;
    img->dev = st.dev;
    img->ino = st.ino;
    if (openhere(img)) {
        errno = EBUSY;
        vmi_refuse(why, "%s: this process has it open", img->path);
        return -1;
    }
    if (!st.mine && !(img->flags & VM_IMGFOREIGN)) {
        errno = EPERM;
        vmi_refuse(why, "%s: it belongs to another user", img->path);
        return -1;
    }
    if (lockfile(img) != 0 || vmos_disk_stat(img->fd, &st) != 0)
        return -1;
    img->turn = !(img->flags & VM_IMGREAD);
    r = unborn(img, st.size) ? opennew(img, opt, viewed) : openold(img, opt, why, viewed);
    if (r != 0)
        return -1;
    if (img->npages == 0) {
        img->head->magic = VMI_META;
        img->head->base = (uintptr_t)img->base;
    }
    vmi_track_open(img);
    return 0;
}

vmi_t *vmi_open(const char *path, const Vmimgopt_t *opt, char *why)
{
    vmi_t *img = make(path, opt);
    int viewed = 0, e = errno;
    if (img == NULL || start(img, opt, why, &viewed) != 0) {
        vmi_refuse(why, "%s: %s", path != NULL ? path : "(no path)", vmi_reason(errno));
        if (img != NULL)
            discard(img, viewed);
        return NULL;
    }
    vmos_lock(&listlock);
    img->next = images;
    __atomic_store_n(&images, img, __ATOMIC_RELEASE);
    vmos_unlock(&listlock);
    errno = e;
    return img;
}

/* The file ends with its pages. */
static void tidy(vmi_t *img)
{
    int e = errno;
    vmi_window_drop(img);
    if (!img->failed && img->pid == vmos_pid() && img->turn) {
        if (img->jpos > 0)
            vmi_checkpoint(img, 0);
        else
            vmi_sync(img);
        if (!img->failed && img->jpos == 0 && vmos_disk_lock(img->fd, VMI_READER, 2, 0) == 0)
            vmi_io->truncate(img->fd, vmi_end(img, img->npages));
    }
    errno = e;
}

void vmi_close(vmi_t *img)
{
    vmi_t **at = &images;
    vmos_lock(&listlock);
    while (*at != NULL && *at != img)
        at = &(*at)->next;
    if (*at != NULL)
        *at = img->next;
    vmos_unlock(&listlock);
    tidy(img);
    discard(img, 1);
}

/* ---- the file alone: read as a reader would, without its pages being mapped ---- */

int vmi_ask(const char *path, const uint64_t id[2], const uint64_t joint[2])
{
    Vmimgopt_t opt = {.flags = VM_IMGREAD};
    vmi_t *img = make(path, &opt);
    const char *wrong;
    int i, r = -1;
    if (img == NULL)
        return -1;
    memcpy(img->sought, joint, sizeof img->sought);
    if (openfile(img, 0) == 0 && lockfile(img) == 0 && vmi_super_read(img, &wrong) == 0 &&
        img->super.id[0] == id[0] && img->super.id[1] == id[1]) {
        vmi_measure(img, img->super.base, img->super.limit);
        for (i = 0; i < VMI_JOINTS; i++)
            img->found |= img->super.joint[i][0] == joint[0] && img->super.joint[i][1] == joint[1];
        if (img->found)
            r = 1;
        else if (tables(img) == 0 && vmi_load(img) == 0 && (!img->found || vmi_io->sync(img->fd) == 0))
            r = img->found; /* what others do for it lasts, and so must its record */
    }
    discard(img, 0);
    return r;
}

static int peek(vmi_t *img, char *why)
{
    const char *wrong;
    if (openfile(img, 0) != 0 || lockfile(img) != 0)
        return -1;
    if (vmi_super_read(img, &wrong) != 0) {
        vmi_refuse(why, "%s: %s", img->path, wrong);
        return -1;
    }
    vmi_measure(img, img->super.base, img->super.limit);
    if (tables(img) != 0 || whole(img, why) != 0 || vmi_load(img) != 0)
        return -1;
    vmi_measure(img, img->home, img->super.limit);
    return 0;
}

vmi_t *vmi_peek(const char *path, char *why)
{
    Vmimgopt_t opt = {.flags = VM_IMGREAD};
    vmi_t *img = make(path, &opt);
    if (img != NULL && peek(img, why) == 0)
        return img;
    vmi_refuse(why, "%s: %s", path != NULL ? path : "(no path)", vmi_reason(errno));
    if (img != NULL)
        discard(img, 0);
    return NULL;
}

void vmi_unpeek(vmi_t *img)
{
    discard(img, 0);
}

/* ---- from a region to its image ---- */

vmi_t *vmi_find(const Vmalloc_t *vm)
{
    vmi_t *img;
    vmos_lock(&listlock);
    for (img = images; img != NULL && (img->vm != vm || vm == NULL); img = img->next)
        ;
    vmos_unlock(&listlock);
    if (img == NULL)
        errno = EINVAL;
    return img;
}

vmi_t *vmi_enter(Vmalloc_t *vm)
{
    long pid = vmos_pid();
    vmi_t *img = vmi_find(vm);
    if (img == NULL)
        return NULL;
    if (img->entered != pid) { /* after a fork: who held the lock is not here */
        img->lock = (vmos_lock_t){0, 0};
        img->entered = pid;
    }
    vmos_lock(&img->lock);
    return img;
}

vmi_t *vmi_enterown(Vmalloc_t *vm)
{
    vmi_t *img = vmi_enter(vm);
    if (img == NULL || img->pid == img->entered) /* which is this process */
        return img;
    vmi_leave(img);
    errno = EPERM;
    return NULL;
}

void vmi_leave(vmi_t *img)
{
    vmos_unlock(&img->lock);
}
