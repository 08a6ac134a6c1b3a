/* SPDX-License-Identifier: MIT */
/*
 * window: where commits need not wait for the disk, records are stored into the journal instead of written to it.
 *
 *   journal:  | record | record | record | record |          zeros                 | (anything)
 *                               ^ winat           ^ jpos                           ^ winat + WINDOW
 *                               | . . . . . . . a shared mapping of the file . . . |
 *
 * What is in a shared mapping is the system's as soon as it is stored, so it outlives the process as what was
 * written does, for a tenth of the cost of a call.  A process that is killed in the middle leaves a part of a
 * record, in whatever order the bytes were stored: that has not its sums, and does not count (journal.c).
 * The bytes of a window are written as zeros first: so the file has room for them, and a full disk is an error of
 * that call, after which records are written as ever.  Only where storing needs no more room than that: see
 * vmos_disk_settled().
 * Invariant: the window is within the file, which nobody makes shorter meanwhile: it goes with the turn, before the
 * file is cut, and whenever the journal starts anew or gets copied.
 * Cost: about 0.3 µs for each KiB of window, and the copying.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

#define WINDOW ((size_t)512 << 10)

/* Children of fork() have no window: where it was, other memory may lie by now. */
void vmi_window_drop(vmi_t *img)
{
    if (img->window != NULL && img->pid == vmos_pid())
        vmos_unmap(img->window, WINDOW);
    img->window = NULL;
}

/* Have the window begin with the page of `at`. */
static int movewindow(vmi_t *img, uint64_t at)
{
    static char zeros[32768];
    uint64_t from = VMB_DOWN(at, img->psize), off;
    vmi_window_drop(img);
    for (off = at; off < from + WINDOW; off = VMB_DOWN(off, sizeof zeros) + sizeof zeros)
        if (vmi_io->write(img->fd, zeros, sizeof zeros - off % sizeof zeros, off) != 0)
            return -1;
    img->window = vmi_io->window(img->fd, from, WINDOW);
    img->winat = from;
    if (img->window != NULL)
        return 0;
    img->settled = -1; /* the next would not be had either, for as many zeros */
    return -1;
}

/* Whether stores may be made at all. */
static int usable(vmi_t *img)
{
    int e = errno;
    if (img->safety == VM_IMGPOWER)
        return 0;
    if (img->settled == 0)
        img->settled = vmos_disk_settled(img->fd) ? 1 : -1;
    errno = e;
    return img->settled > 0;
}

int vmi_window_store(vmi_t *img, const void *record, size_t n, uint64_t at)
{
    int e = errno;
    if (n > 2 * img->psize || !usable(img)) /* of a larger one the call costs little */
        return 0;
    if ((img->window == NULL || at < img->winat || at + n > img->winat + WINDOW) && movewindow(img, at) != 0) {
        errno = e;
        return 0;
    }
    return vmi_io->store(img->fd, img->window + (at - img->winat), record, n, at) == 0;
}
