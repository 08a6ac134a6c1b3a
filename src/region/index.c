/* SPDX-License-Identifier: MIT */
/*
 * index: which segment of which region holds an address, for the whole process.
 *
 *   region R   |----------------------------------|      up of S and T: R's segment
 *   region S       |--------|
 *   region T                     |-----|       ^ x       floor(x) is T; its up, R's, holds x
 *
 * A treap of the segments of all regions by start address (base's tree).  Segments nest (a region
 * on Vmdcheap lies in a block of Vmheap) but do not cross, so they form a forest: each node knows
 * the innermost segment around it, and the innermost segment that holds x is the last one that
 * starts at or before x, or else the first of those around that one that reaches x.
 *
 * Invariant: up is a node of the tree with up->addr < addr < up->end, or NULL.
 * Cost: O(log n) expected, and the depth of nesting.  One lock, under which nothing else is taken
 * and no memory of a segment is read but the nodes.
 */
#include "parts.h"

vmos_lock_t vmr_indexlock;
static vmb_node_t *root;

#define NODE(t) ((vmr_node_t *)(void *)(t))

static int compare(const vmb_node_t *a, const vmb_node_t *b)
{
    const char *x = ((const vmr_node_t *)(const void *)a)->addr;
    const char *y = ((const vmr_node_t *)(const void *)b)->addr;

    return x < y ? -1 : x > y;
}

static vmr_node_t *floorof(const char *addr)
{
    vmr_node_t key;

    key.addr = (char *)addr;
    return NODE(vmb_tree_floor(root, &key.tree, compare));
}

static vmr_node_t *ceilof(const char *addr)
{
    vmr_node_t key;

    key.addr = (char *)addr;
    return NODE(vmb_tree_ceil(root, &key.tree, compare));
}

static vmr_node_t *nextof(const vmr_node_t *n)
{
    return NODE(vmb_tree_next(root, &n->tree, compare));
}

/* Another process may have made the one segment of a region longer that it shares with this one. */
static const char *endof(const vmr_node_t *n)
{
    const Vmdata_t *data = n->vm->data;

    return vmr_handle(n->vm)->peer != NULL && data != NULL ? n->addr + data->segs->extent : n->end;
}

/* The innermost node that holds addr; n is the last that starts at or before it. */
static vmr_node_t *holder(vmr_node_t *n, const char *addr)
{
    while (n != NULL && addr >= endof(n))
        n = n->up;
    return n;
}

/* Nodes within n that have `was` around them have `now` there from here on; next follows n. */
static void reparent(const vmr_node_t *n, vmr_node_t *next, const vmr_node_t *was, vmr_node_t *now)
{
    for (; next != NULL && next->addr < n->end; next = nextof(next))
        if (next->up == was)
            next->up = now;
}

/* The regions that n lies in, and that holds n's successor, have guests from here on. */
static void welcome(const vmr_node_t *n, const vmr_node_t *next)
{
    if (n->up != NULL)
        __atomic_store_n(&vmr_handle(n->up->vm)->guests, 1, __ATOMIC_RELAXED);
    if (next != NULL && next->up == n)
        __atomic_store_n(&vmr_handle(n->vm)->guests, 1, __ATOMIC_RELAXED);
}

int vmr_guests(Vmalloc_t *vm)
{
    return __atomic_load_n(&vmr_handle(vm)->guests, __ATOMIC_RELAXED);
}

static void take(vmr_node_t *n)
{
    if (vmr_guests(n->vm)) /* else nothing lies in it */
        reparent(n, nextof(n), n, n->up);
    vmb_tree_remove(&root, &n->tree, compare);
    vmr_handle(n->vm)->nodes--;
}

int vmr_index_add(Vmalloc_t *vm, Vmseg_t *seg)
{
    vmr_node_t *n = vmr_nodeof(vm, seg), *at, *next;
    int known;

    vmos_lock(&vmr_indexlock);
    at = floorof(seg->addr);
    known = at != NULL && at->addr == seg->addr;
    if (!known) {
        n->addr = seg->addr;
        n->end = seg->addr + seg->extent;
        n->vm = vm;
        n->up = holder(at, n->addr);
        vmb_tree_insert(&root, &n->tree, compare);
        next = nextof(n);
        reparent(n, next, n->up, n);
        welcome(n, next);
        vmr_handle(vm)->nodes++;
    }
    vmos_unlock(&vmr_indexlock);
    if (!known)
        return 0;
    errno = EBUSY;
    return -1;
}

void vmr_index_remove(Vmalloc_t *vm, Vmseg_t *seg)
{
    vmr_node_t *n = vmr_nodeof(vm, seg);

    vmos_lock(&vmr_indexlock);
    if (floorof(seg->addr) == n)
        take(n);
    vmos_unlock(&vmr_indexlock);
}

void vmr_index_setend(Vmalloc_t *vm, Vmseg_t *seg)
{
    vmos_lock(&vmr_indexlock);
    vmr_nodeof(vm, seg)->end = seg->addr + seg->extent;
    vmos_unlock(&vmr_indexlock);
}

Vmalloc_t *vmr_index_take(Vmalloc_t *vm, const char *addr, const char *end)
{
    Vmalloc_t *found = NULL;
    vmr_node_t *n;

    vmos_lock(&vmr_indexlock);
    n = ceilof(addr);
    while (n != NULL && n->addr < end && n->vm == vm)
        n = nextof(n);
    if (n != NULL && n->addr < end) {
        found = n->vm;
        take(n);
    }
    vmos_unlock(&vmr_indexlock);
    return found;
}

void vmr_index_purge(vmr_handle_t *h)
{
    vmr_node_t *n, *next;

    vmos_lock(&vmr_indexlock);
    n = h->nodes > 0 ? NODE(vmb_tree_first(root)) : NULL;
    for (; n != NULL && h->nodes > 0; n = next) {
        next = nextof(n);
        if (n->vm == &h->vm)
            take(n);
    }
    vmos_unlock(&vmr_indexlock);
}

Vmseg_t *vmr_segof(const void *addr, Vmalloc_t **vm)
{
    Vmseg_t *seg = NULL;
    vmr_node_t *n;

    vmos_lock(&vmr_indexlock);
    n = holder(floorof(addr), addr);
    if (n != NULL && n->vm->data != NULL) {
        seg = (Vmseg_t *)(void *)VMB_UP(n->addr, VM_ALIGN);
        if (vm != NULL)
            *vm = n->vm;
    }
    vmos_unlock(&vmr_indexlock);
    return seg;
}

Vmalloc_t *vmr_outer(Vmalloc_t *vm)
{
    const vmr_node_t *n = &vmr_handle(vm)->first;
    Vmalloc_t *outer;

    vmos_lock(&vmr_indexlock);
    outer = vmr_handle(vm)->nodes > 0 && n->up != NULL ? n->up->vm : NULL;
    vmos_unlock(&vmr_indexlock);
    return outer;
}

/* A guest's lock lies in its first segment, so it is there as long as vm's lock keeps that. */
int vmr_lockedguest(Vmalloc_t *vm)
{
    const vmr_node_t *n;
    int held = 0;

    if (!vmr_guests(vm))
        return 0;
    vmos_lock(&vmr_indexlock);
    for (n = root != NULL ? NODE(vmb_tree_first(root)) : NULL; n != NULL && !held; n = nextof(n))
        held = n->up != NULL && n->up->vm == vm && n == &vmr_handle(n->vm)->first &&
               n->vm->data != NULL && vmos_lockedbyme(&n->vm->data->lock);
    vmos_unlock(&vmr_indexlock);
    return held;
}

long vmr_index_check(void)
{
    const vmr_node_t *n;
    long count;

    vmos_lock(&vmr_indexlock);
    count = vmb_tree_check(root, compare);
    for (n = count < 0 ? NULL : NODE(vmb_tree_first(root)); n != NULL; n = nextof(n))
        if (n->up != NULL && !(n->up->addr < n->addr && n->addr < n->up->end))
            count = -1;
    vmos_unlock(&vmr_indexlock);
    return count;
}
