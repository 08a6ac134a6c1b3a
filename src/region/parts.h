/* SPDX-License-Identifier: MIT */
/*
 * parts: what the files of the region room share among themselves.
 *
 *   handle (in Vmheap, or behind the method's state with VM_MEMORYF)
 *     | Vmalloc_t | prev | inside | nodes | guests | node of the first segment |
 *   further segments carry their node in Vmseg_t.index
 *
 * The node of the first segment lies in the handle and not in the segment, so that a region whose
 * memory several processes share has links of this process only, and so that the index survives
 * a buffer that was reused without vmclose().
 *
 * A handle is live (data set), or dead: the memory that its region lay in was released under it.
 * A dead handle's methods all fail with EINVAL, and vmclose() frees it.
 */
#ifndef VM_REGION_PARTS_H
#define VM_REGION_PARTS_H 1

#include "os_probe.h"
#include "region.h"

#include <errno.h>

/* ---- handles ---- */

typedef struct vmr_node {
    vmb_node_t tree;
    char *addr, *end;     /* the segment, [addr, end) */
    Vmalloc_t *vm;        /* its region */
    struct vmr_node *up;  /* the innermost segment around it when regions nest, NULL: none */
} vmr_node_t;
_Static_assert(sizeof(vmr_node_t) == sizeof(((Vmseg_t *)0)->index),
               "a node is what Vmseg_t.index has room for");

typedef struct vmr_handle {
    Vmalloc_t vm;    /* first: the handle that programs see */
    Vmalloc_t *prev; /* in the list of regions, NULL: not in it */
    int inside;      /* the handle lies in its own region (VM_MEMORYF) */
    size_t nodes;    /* segments that the index knows, under the index lock */
    int guests;      /* segments of other regions lie, or lay, in its own */
    vmr_peer_t *peer; /* of a VMR_SHARED region; else NULL */
    unsigned again;  /* times that the region was opened once more: as often vmclose() only counts */
    vmr_node_t first;
} vmr_handle_t;

VMOS_INLINE vmr_handle_t *vmr_handle(Vmalloc_t *vm) { return (vmr_handle_t *)vm; }

/* The object behind Vmheap; opened is set when all of it can be used. */
extern vmr_handle_t vmr_heaphandle;
#define VMR_HEAP (&vmr_heaphandle.vm)

#define VMR_SEGHEAD VMB_UP(sizeof(Vmseg_t), VM_ALIGN)
#define VMR_HANDLESIZE VMB_UP(sizeof(vmr_handle_t), VM_ALIGN)
#define VMR_STATESIZE(more) (VMR_STATEOFF + VMB_UP((more)->size, VM_ALIGN))

/* The region if it can be used, opening Vmheap when need be; else NULL, EINVAL. */
VMOS_INLINE Vmalloc_t *vmr_live(Vmalloc_t *vm)
{
    if (vm == VMR_HEAP)
        return vmr_heap();
    if (vm != NULL && vm->data != NULL)
        return vm;
    errno = EINVAL;
    return NULL;
}

/* Raise an event, without locks.  0 when the discipline has no handler. */
VMOS_INLINE int vmr_raise(Vmalloc_t *vm, int event, Void_t *obj)
{
    Vmdisc_t *disc = vm->disc;
    int inside = vmr_inside, hushed, r;
    if (disc->exceptf == NULL)
        return 0;
    vmr_inside = 0; /* what a handler calls is the program's */
    hushed = vmr_loud();
    r = (*disc->exceptf)(vm, event, obj, disc);
    vmr_hushagain(hushed);
    vmr_inside = inside;
    return r;
}

/* ---- regions that processes share (shared.c) ---- */

/* What the discipline says, NULL: the region is of this process alone. */
vmr_peer_t *vmr_peerof(const Vmdisc_t *disc);
/* Where the log lies, and that it does. */
#define VMR_LOGBYTES (size_t)VMB_UP(sizeof(vmr_log_t) + 64, VM_ALIGN)
void vmr_laylog(Vmdata_t *data, char *at);
/* What is done from here to the other, locked, is not noted: the method's event is raised again when it
 * was cut short. */
void vmr_beginagain(Vmalloc_t *vm, int event);
void vmr_endagain(Vmalloc_t *vm);
/* A region of which this process, the child of a fork, cannot be a user: its handle dies. */
void vmr_forkshared(Vmalloc_t *vm);
/* vmclrlock() for such a region. */
void vmr_breakshared(Vmalloc_t *vm, int all);

/* ---- opening, in steps that vmopen() and Vmheap share (root.c) ---- */

/* Get the first segment and lay it out; vm: disc and meth are set.  NULL with errno. */
Vmseg_t *vmr_root(Vmalloc_t *vm, int mode);
Vmdata_t *vmr_rootdata(Vmseg_t *root);
/* Where the handle lies with VM_MEMORYF. */
vmr_handle_t *vmr_roothandle(Vmseg_t *root, const Vmethodx_t *more);
/* A zeroed handle with tmp's members, in Vmheap or at place; freeing it leaves errno alone. */
vmr_handle_t *vmr_newhandle(const Vmalloc_t *tmp, void *place);
void vmr_freehandle(vmr_handle_t *h);

/* ---- segments (segment.c) ---- */

/* Write the header of the segment [addr, addr+extent). */
Vmseg_t *vmr_layseg(char *addr, size_t extent);
/* Bytes that a segment must have for `usable` usable ones, whatever its alignment; 0: too many. */
size_t vmr_segsize(Vmalloc_t *vm, size_t usable);
/* Enter a segment into the region's list, its sums and the index. */
void vmr_linkseg(Vmalloc_t *vm, Vmseg_t *seg);
void vmr_setextent(Vmalloc_t *vm, Vmseg_t *seg, size_t extent);
VMOS_INLINE char *vmr_ask(Vmalloc_t *vm, char *addr, size_t csize, size_t nsize)
{
    int hushed = vmr_loud();
    char *got;

    if (nsize < csize)
        vmos_own(addr + nsize, csize - nsize); /* it is nobody's block any more */
    got = (*vm->disc->memoryf)(vm, addr, csize, nsize, vm->disc);
    if (vmr_istold() && nsize > csize && got != NULL)
        (*vmr_checker->gotf)(vm, got);
    vmr_hushagain(hushed);
    VMOS_PROBE5(memory, vm, addr, csize, nsize, got);
    return got;
}

/* ---- index of segments (index.c); takes the index lock ---- */

VMOS_INLINE vmr_node_t *vmr_nodeof(Vmalloc_t *vm, Vmseg_t *seg)
{
    return seg->next == NULL ? &vmr_handle(vm)->first : (vmr_node_t *)(void *)seg->index;
}
/* -1 (EBUSY): a segment at that very address is known already. */
int vmr_index_add(Vmalloc_t *vm, Vmseg_t *seg);
void vmr_index_remove(Vmalloc_t *vm, Vmseg_t *seg);
void vmr_index_setend(Vmalloc_t *vm, Vmseg_t *seg);
/* Take one segment of another region than vm that starts in [addr, end) out: its region, NULL
 * when there is none. */
Vmalloc_t *vmr_index_take(Vmalloc_t *vm, const char *addr, const char *end);
/* Take all segments of a dead region out. */
void vmr_index_purge(vmr_handle_t *h);
long vmr_index_check(void);
/* The region in whose memory this one's first segment lies, NULL: none. */
Vmalloc_t *vmr_outer(Vmalloc_t *vm);
/* Whether the calling thread holds the lock of a region whose first segment lies in vm's memory.  vm is
 * locked. */
int vmr_lockedguest(Vmalloc_t *vm);

/* ---- regions in regions (nested.c) ---- */

/* Everything in vm goes: regions that lie in it die.  List lock held, region not locked. */
void vmr_drown(Vmalloc_t *vm);
/* Mark one region dead, with its method told if that can be.  List lock held. */
void vmr_sink(Vmalloc_t *vm);
/* Mark it dead and no more. */
void vmr_bury(Vmalloc_t *vm);

/* ---- list of regions (list.c); all under vmr_listlock ---- */

void vmr_link(Vmalloc_t *vm);
void vmr_unlink(Vmalloc_t *vm);
/* The next live region, the first for NULL: Vmheap if it is open, then the others newest first. */
Vmalloc_t *vmr_next(Vmalloc_t *vm);

/* ---- locks of the process, in the order of taking them; region locks come after the list's ---- */

extern vmos_lock_t vmr_listlock, vmr_heaplock, vmr_indexlock, vmr_watchlock;

/* Register the handlers around fork() and for threads that end, once. */
void vmr_start(void);

/* ---- places (place.c) ---- */

void vmr_setplace(const char *file, int line, const char *func);

#endif
