/* SPDX-License-Identifier: MIT */
/*
 * vmdcnuma(): memory of the system that lies on given NUMA nodes.
 *
 * As Vmdcsystem, and each piece got has the policy set before it is handed out, so that pages are
 * placed by it when they are touched first.  Cost: one more system call a request.
 */
#include "made.h"
#include "pages.h"
#include "request.h"
#include <errno.h>

#define NAME "vmalloc numa"

typedef struct numa {
    vmdc_made_t made;
    int mode;
    unsigned long nodes;
} numa_t;

static int place(const numa_t *n, void *addr, size_t size)
{
    return vmos_numa(addr, vmb_round(size, vmos_pagesize()), n->mode, n->nodes);
}

static void *get(const numa_t *n, size_t size)
{
    void *addr = vmdc_pages_get(size, NAME);

    if (addr && place(n, addr, size) < 0) {
        vmdc_pages_shrink(addr, size, 0, vmos_pagesize());
        addr = NULL;
    }
    return addr;
}

/* The old part has the policy already; setting it again moves no page. */
static void *grow(const numa_t *n, void *addr, size_t csize, size_t nsize)
{
    if (vmdc_pages_grow(addr, csize, nsize, NAME) < 0)
        return NULL;
    if (place(n, addr, nsize) < 0) {
        vmdc_pages_shrink(addr, nsize, csize, vmos_pagesize());
        return NULL;
    }
    return addr;
}

static Void_t *memory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    const numa_t *n = (const numa_t *)disc;

    (void)vm;
    switch (vmdc_request(addr, csize, nsize)) {
    case VMDC_GET:
        return get(n, nsize);
    case VMDC_GROW:
        return grow(n, addr, csize, nsize);
    case VMDC_SHRINK:
    case VMDC_RELEASE:
        return vmdc_pages_shrink(addr, csize, nsize, vmos_pagesize()) < 0 ? NULL : addr;
    case VMDC_NONE:
        break;
    }
    return NULL;
}

static int purge(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc)
{
    (void)vm, (void)disc;
    return vmdc_pages_purge(addr, size, vmos_pagesize());
}

/* Whether the system takes this policy at all: better told now than by each request. */
static int refused(const numa_t *n)
{
    void *page = get(n, 1);

    if (page == NULL)
        return 1;
    vmdc_pages_shrink(page, 1, 0, vmos_pagesize());
    return 0;
}

Vmdisc_t *vmdcnuma(int mode, unsigned long nodes)
{
    numa_t *n;
    int error;

    if (mode < VM_NUMABIND || mode > VM_NUMAINTERLEAVE || nodes == 0) {
        errno = EINVAL;
        return NULL;
    }
    n = vmdc_make(vmr_heap(), sizeof *n, memory);
    if (n == NULL)
        return NULL;
    n->mode = mode;
    n->nodes = nodes;
    n->made.more.flags = VM_DCZERO | VM_DCRESERVE;
    n->made.more.align = vmos_pagesize();
    n->made.more.purgef = purge;
    n->made.more.name = NAME;
    if (refused(n)) {
        error = errno;
        vmdcfree(&n->made.more.disc);
        errno = error;
        return NULL;
    }
    return &n->made.more.disc;
}
