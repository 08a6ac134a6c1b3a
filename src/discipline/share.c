/* SPDX-License-Identifier: MIT */
/*
 * vmdcshare(): the one segment of a region that several processes use at the same time, in a file or in
 * memory that has a name.
 *
 * What the object is and how processes come to it and go is told in src/image/share.h.  The segment
 * begins where the head says and grows in place; it is never cut, for another process may be about to
 * use what this one would give back, but the pages of free blocks are (vmcompact()).  The discipline
 * belongs to one region, and goes when that is closed.
 */
#include "made.h"
#include "request.h"
#include "sharing.h"
#include <errno.h>
#include <string.h>

typedef struct sharing {
    vmdc_made_t made;
    vmi_share_t share;
} sharing_t;

static char *segment(const vmi_share_t *s)
{
    return (char *)s->head + s->head->data;
}

/* In memory and then in the head: a process that dies between leaves memory that the next growth
 * finds there. */
static Void_t *grow(vmi_share_t *s, size_t from, size_t to)
{
    if (vmi_share_grow(s->fd, s->head, from, to) < 0)
        return NULL;
    s->head->size = VMB_MAX(s->head->size, (uint64_t)to);
    return segment(s);
}

static Void_t *memory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    vmi_share_t *s = &((sharing_t *)disc)->share;

    (void)vm;
    if (s->head == NULL)
        return NULL;
    switch (vmdc_request(addr, csize, nsize)) {
    case VMDC_GET:
        return s->head->size == 0 ? grow(s, 0, nsize) : NULL;
    case VMDC_GROW:
        return addr == segment(s) ? grow(s, csize, nsize) : NULL;
    case VMDC_RELEASE: /* of what could not be opened: vmi_share_close() follows */
        return s->state == VMI_BEGUN ? addr : NULL;
    default:
        return NULL;
    }
}

static int purge(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc)
{
    vmi_share_t *s = &((sharing_t *)disc)->share;
    uint64_t from = (uint64_t)((char *)addr - (char *)s->head);

    (void)vm;
    return vmos_object_punch(s->fd, from, from + size) == 0 ? 1 : -1;
}

static int event(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    sharing_t *d = (sharing_t *)disc;

    switch (type) {
    case VM_OPEN:
        vmi_share_close(&d->share);
        return vmi_share_open(&d->share, vm->meth.meth & VM_METHODS, (Void_t **)obj);
    case VM_ENDOPEN:
        vmi_share_opened(&d->share, vm);
        return 0;
    case VM_CLOSE:
        return 1; /* nothing is released */
    case VM_ENDCLOSE:
        vmi_share_close(&d->share);
        return vmdcfree(disc);
    case VM_DISC:
        return -1;
    default:
        return 0;
    }
}

/* Segment sizes: a sixteenth of what is expected, from 64 KiB to 4 MiB, a power of two. */
static size_t roundof(size_t size)
{
    return (size_t)1 << vmb_log2(VMB_MIN(VMB_MAX(size / 16, (size_t)65536), (size_t)1 << 22));
}

Vmdisc_t *vmdc_sharing(const char *name, const Vmshare_t *opt)
{
    size_t n = name != NULL ? strlen(name) : 0;
    sharing_t *d;

    if ((n == 0 && !(opt->flags & VM_SHFD)) || n >= sizeof d->share.name) {
        errno = n == 0 ? EINVAL : ENAMETOOLONG;
        return NULL;
    }
    d = vmdc_make(vmr_heap(), sizeof *d, memory);
    if (d == NULL)
        return NULL;
    d->made.more.disc.exceptf = event;
    d->made.more.disc.round = roundof(opt->size);
    d->made.more.flags = VM_DCSHARED;
    d->made.more.purgef = purge;
    d->made.more.name = "share";
    d->made.more.peer = &d->share.peer;
    d->share.opt = *opt;
    d->share.remove = (opt->flags & VM_SHONCE) != 0;
    d->share.fd = -1;
    if (n > 0)
        memcpy(d->share.name, name, n + 1);
    return &d->made.more.disc;
}

vmi_share_t *vmdc_shared(Vmdisc_t *disc)
{
    return &((sharing_t *)disc)->share;
}

/* Memory of a name and a number: of its own for each user, so that no other can be first. */
const char *vmdc_memname(char *name, const char *file, int project)
{
    uint64_t h = 0;
    vmb_out_t o;

    if (file == NULL || *file == '\0')
        return NULL;
    for (; *file != '\0'; file++)
        h = vmb_mix(h + (unsigned char)*file);
    vmb_out_init(&o, name, VMDC_MEMNAME);
    vmb_printf(&o, "vmalloc.%lu.%lx%lx.%d", vmos_uid(), (unsigned long)(h >> 32),
               (unsigned long)(h & 0xffffffffu), project);
    return name;
}

Vmdisc_t *vmdcshare(const char *name, int project, ssize_t size, int type)
{
    Vmshare_t opt = {0};
    char memname[VMDC_MEMNAME];

    if (size <= 0) {
        errno = EINVAL;
        return NULL;
    }
    opt.size = (size_t)size;
    opt.flags = type < 0 ? VM_SHONCE : 0;
    if (project >= 0) {
        opt.flags |= VM_SHMEMORY;
        name = vmdc_memname(memname, name, project);
    }
    return vmdc_sharing(name, &opt);
}
