/* SPDX-License-Identifier: MIT */
/*
 * snapshot: the last commit as a file of its own.
 *
 * Nobody commits meanwhile, so the file as it is, journal and all, is a whole image.  Where the file
 * system can, the copy shares its blocks and costs next to nothing; else what is no hole is copied.
 * It gets a name beside its own first, so that path is either what it was or a whole copy.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

static int copystretch(vmi_t *img, int to, uint64_t from, uint64_t end)
{
    char *buf = img->rec + img->recbytes - VMI_CHUNK;
    while (from < end) {
        size_t n = (size_t)VMB_MIN(end - from, (uint64_t)VMI_CHUNK);
        int64_t got = vmi_io->read(img->fd, buf, n, from);
        if (got <= 0)
            return got < 0 ? -1 : 0;
        if (vmi_io->write(to, buf, (size_t)got, from) != 0)
            return -1;
        from += (uint64_t)got;
    }
    return 0;
}

static int copydata(vmi_t *img, int to)
{
    vmos_disk_stat_t st;
    uint64_t from = 0, end;
    int r;
    if (vmos_disk_stat(img->fd, &st) != 0 || vmi_journal_room(img, 1) != 0)
        return -1;
    for (; (r = vmos_disk_data(img->fd, &from, &end)) > 0; from = end)
        if (copystretch(img, to, from, end) != 0)
            return -1;
    return r < 0 ? -1 : vmi_io->truncate(to, st.size);
}

static int copy(vmi_t *img, const char *name, const char *path)
{
    int fd = vmi_io->open(name, VMOS_DISK_WRITE | VMOS_DISK_CREATE | VMOS_DISK_NEW, 0600), r, e = errno;
    if (fd < 0)
        return -1;
    r = vmi_io->clone(fd, img->fd);
    if (r != 0)
        r = copydata(img, fd);
    if (r == 0)
        r = vmi_io->sync(fd);
    if (r == 0)
        r = vmi_io->rename(name, path);
    if (r == 0)
        r = vmi_io->syncname(path);
    if (r != 0) {
        e = errno;
        vmi_io->unlink(name);
    }
    vmi_io->close(fd);
    errno = e;
    return r;
}

int vmsnapshot(Vmalloc_t *vm, const char *path)
{
    char name[VMI_PATH + 32];
    vmb_out_t o;
    vmi_t *img;
    int r, e = errno;
    if (path == NULL || strlen(path) >= VMI_PATH) {
        errno = path == NULL ? EINVAL : ENAMETOOLONG;
        return -1;
    }
    if ((img = vmi_enterown(vm)) == NULL)
        return -1;
    /* who does not write here must keep others from doing so */
    if (!img->turn && vmi_lockwriter(img, 1, (img->flags & VM_IMGTURNS) != 0) != 0) {
        vmi_leave(img);
        return -1;
    }
    vmb_out_init(&o, name, sizeof name);
    vmb_printf(&o, "%s.%lx", path, (unsigned long)vmos_random());
    if (img->turn && img->jpos > 0 && !img->failed)
        vmi_checkpoint(img, 0); /* if it can be: the copy is then without a journal */
    vmi_window_drop(img); /* the copy may share the journal's blocks: storing there would need others */
    r = copy(img, name, path);
    if (!img->turn)
        vmi_lockwriter(img, 0, 0);
    vmi_leave(img);
    if (r == 0)
        errno = e;
    return r;
}
