/* SPDX-License-Identifier: MIT */
/*
 * vmimage(): a region in a committed image.
 *
 * The discipline is the first part of the image's structure, so one of them serves one region.  It gives
 * one segment, at the image's base, that grows in place as far as the image's addresses go; how much of
 * it there is, is part of the image.  Closing keeps the segment: what it holds is in the file, or
 * is dropped.  Cost: a few instructions a request.
 */
#include "discipline_tables.h"
#include "image.h"
#include "request.h"

#include <errno.h>
#include <string.h>

static Void_t *memory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    vmi_t *img = (vmi_t *)disc;

    (void)vm;
    if (vmdc_request(addr, csize, nsize) == VMDC_NONE || csize != img->head->len || nsize > img->limit ||
        (csize > 0 && addr != img->base)) {
        errno = ENOMEM;
        return NULL;
    }
    img->calm = 0; /* what comes back was looked at by nobody meanwhile */
    if (nsize < csize)
        vmi_clear(img, img->base + nsize, csize - nsize);
    img->head->len = nsize;
    return img->base;
}

static int purge(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc)
{
    (void)vm;
    return vmi_clear((vmi_t *)disc, addr, size);
}

/* Whether what the image says of its region can be: nothing is followed that leads out of it. */
static int plausible(const vmi_t *img)
{
    const Vmdata_t *data = img->head->data;
    const char *at = (const char *)data, *end = img->base + img->head->len;
    const Vmseg_t *seg = (const Vmseg_t *)(const void *)img->base;

    return img->head->len >= sizeof *seg + sizeof *data && img->head->len <= img->limit &&
           at >= img->base && at <= end - sizeof *data && (uintptr_t)at % VM_ALIGN == 0 &&
           data->segs == seg && seg->next == NULL && seg->addr == img->base &&
           seg->extent == img->head->len && seg->base >= img->base && seg->base <= end &&
           seg->end <= end && data->log == NULL && !(data->mode & VM_MEMORYF);
}

static int opening(vmi_t *img, Void_t **obj)
{
    if (img->head->data == NULL)
        return 0;
    *obj = img->head->data;
    return 1;
}

static int event(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    vmi_t *img = (vmi_t *)disc;

    switch (type) {
    case VM_OPEN:
        return opening(img, obj);
    case VM_ENDOPEN:
        img->vm = vm;
        img->data = vm->data;
        if (img->head->data == NULL)
            img->head->data = vm->data;
        break;
    case VM_DISC:
        return -1;
    case VM_CLOSE:
        if ((img->flags & (VM_IMGCLOSE | VM_IMGREAD)) == VM_IMGCLOSE && vmcommit(vm) != 0)
            return -1;
        return 1;
    case VM_ENDCLOSE:
        vmi_close(img);
        break;
    default:
        break;
    }
    return 0;
}

/* The method that the image was made with, unless it is to be another. */
static Vmethod_t *methodof(const vmi_t *img, Vmethod_t *wish)
{
    Vmethod_t *const all[] = {Vmbest, Vmlast, Vmpool};
    unsigned int bits;
    size_t i;

    if (img->head->data == NULL)
        return wish != NULL ? wish : Vmbest;
    bits = (unsigned int)img->data->mode & VM_METHODS;
    if (wish != NULL)
        return (wish->meth & VM_METHODS) == bits ? wish : NULL;
    for (i = 0; i < sizeof all / sizeof *all; i++)
        if ((all[i]->meth & VM_METHODS) == bits)
            return all[i];
    return NULL;
}

static void dress(vmi_t *img)
{
    img->more.disc.memoryf = memory;
    img->more.disc.exceptf = event;
    img->more.disc.size = sizeof(Vmdiscmore_t);
    img->more.tag = VM_DCMORE;
    img->more.flags = VM_DCZERO | VM_DCRESERVE | VM_DCKEPT;
    img->more.purgef = purge;
    img->more.name = "image";
}

static Vmethod_t *refused(const vmi_t *img, int e, char *why, const char *reason)
{
    errno = e;
    vmi_refuse(why, "%s: %s", img->path, reason);
    return NULL;
}

/* The method of a region that lies where it says. */
static Vmethod_t *settle(vmi_t *img, const Vmimgopt_t *opt, char *why)
{
    static const char cannot[] = "what it says of its region cannot be";
    Vmalloc_t vm = {.disc = &img->more.disc};
    Vmethod_t *meth;

    if (vmi_found(img) != 0 || (img->data != NULL && img->home == (uintptr_t)img->base && !plausible(img)))
        return refused(img, EUCLEAN, why, cannot);
    meth = methodof(img, opt->meth);
    if (meth == NULL)
        return refused(img, EPROTO, why, "it was made with another method");
    vm.meth = *meth;
    if (vmi_move(img, &vm, 0) != 0)
        return refused(img, errno, why, errno == ENOTSUP  ? "its method cannot be moved to other addresses"
                                        : errno == EPROTO ? "it was made over another method"
                                                          : cannot);
    return img->head->data == NULL || plausible(img) ? meth : refused(img, EUCLEAN, why, cannot);
}

static Vmalloc_t *openregion(vmi_t *img, const Vmimgopt_t *opt, char *why)
{
    Vmethod_t *meth;
    Vmalloc_t *vm;

    dress(img);
    meth = settle(img, opt, why);
    if (meth == NULL)
        return NULL;
    vm = vmopen(&img->more.disc, meth, opt->vmflags & ~VM_MEMORYF);
    if (vm == NULL)
        vmi_refuse(why, errno == EPROTO ? "%s: it was made over another method"
                                        : "%s: its region cannot be opened", img->path);
    return vm;
}

/* A new image has a first commit, the empty region: so there is always one to go back to. */
static Vmalloc_t *enter(vmi_t *img, const Vmimgopt_t *opt, char *why)
{
    Vmalloc_t *vm = openregion(img, opt, why);
    int e;

    if (vm == NULL) {
        vmi_close(img);
        return NULL;
    }
    if ((img->gen == 0 && vmcommit(vm) != 0) || (img->flags & VM_IMGTURNS && vmturn(vm, 0) != 0)) {
        e = errno;
        vmi_refuse(why, "%s: its first commit failed", img->path);
        img->flags &= ~(unsigned)VM_IMGCLOSE;
        vmclose(vm);
        errno = e;
        return NULL;
    }
    return vm;
}

Vmalloc_t *vmimage(const char *path, Vmimgopt_t *options)
{
    Vmimgopt_t opt;
    char why[160] = "";
    Vmalloc_t *vm = NULL;
    vmi_t *img;

    memset(&opt, 0, sizeof opt);
    if (options != NULL)
        opt = *options;
    img = vmi_open(path, &opt, why);
    if (img != NULL)
        vm = enter(img, &opt, why);
    if (options != NULL)
        memcpy(options->why, why, sizeof why);
    return vm;
}
