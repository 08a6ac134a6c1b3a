/* SPDX-License-Identifier: MIT */
/*
 * fit: which free run a request gets: the tightest there is.
 *
 *   hub->fit[n]   runs of exactly n pages, n < BE_FITS, the one freed last first
 *   hub->fits     bit n: fit[n] is not empty
 *   be->tree      all others, by size and then by address: the lowest of the tightest
 *
 * The runs that come and go by the thousand are small, and a list costs them a few stores where the
 * tree costs a walk of cache misses (two free runs taken and two put back for each pair of malloc()
 * and free(): 360 ns with the tree alone).  Lists are linked through the nodes, left before and right
 * behind.  A region that processes share puts all in the tree, whose changes it can log.
 *
 * Invariant: a free run is in exactly one of these; run->waits says whether in a list.
 * Cost: lists O(1), the tree O(log of the number of runs in it).
 */
#include "best.h"

int vmbe_run_cmp(const vmb_node_t *a, const vmb_node_t *b)
{
    const vmbe_run_t *x = vmbe_run_at(a);
    const vmbe_run_t *y = vmbe_run_at(b);
    if (x->npages != y->npages)
        return x->npages < y->npages ? -1 : 1;
    return x->base < y->base ? -1 : x->base > y->base;
}

void vmbe_fit_add(vmbe_t *be, vmbe_run_t *run)
{
    vmb_node_t *node = &run->u.f.node, **head;
    run->waits = be->hub != NULL && be->log == NULL && run->npages < BE_FITS;
    if (!run->waits) {
        if (VMOS_UNLIKELY(be->log != NULL))
            vmbe_note_insert(be, run);
        vmb_tree_insert(&be->tree, node, vmbe_run_cmp);
        return;
    }
    head = &be->hub->fit[run->npages];
    node->left = NULL;
    node->right = *head;
    if (*head)
        (*head)->left = node;
    *head = node;
    be->hub->fits |= (uint64_t)1 << run->npages;
}

/* From a list, which a region may still have that came to be shared. */
static void unlist(vmbe_t *be, const vmbe_run_t *run)
{
    const vmb_node_t *node = &run->u.f.node;
    vmb_node_t **at = node->left ? &node->left->right : &be->hub->fit[run->npages];
    vmbe_note(be, at, sizeof(*at));
    *at = node->right;
    if (node->right) {
        vmbe_note(be, node->right, sizeof(*node));
        node->right->left = node->left;
    }
    if (be->hub->fit[run->npages] == NULL) {
        vmbe_note(be, &be->hub->fits, sizeof(be->hub->fits));
        be->hub->fits &= ~((uint64_t)1 << run->npages);
    }
}

void vmbe_fit_remove(vmbe_t *be, vmbe_run_t *run)
{
    if (run->waits) {
        unlist(be, run);
        return;
    }
    if (VMOS_UNLIKELY(be->log != NULL))
        vmbe_note_remove(be, run);
    vmb_tree_remove(&be->tree, &run->u.f.node, vmbe_run_cmp);
}

/* Whether run holds npages from an address on that is a multiple of align; *from gets the page. */
static int holds(const vmbe_run_t *run, size_t npages, size_t align, size_t *from)
{
    *from = align <= BE_PAGE ? 0 : (VMB_UP(run->base, align) - (uintptr_t)run->base) >> BE_SHIFT;
    return *from <= run->npages && run->npages - *from >= npages;
}

static vmbe_run_t *listed(const vmbe_t *be, size_t npages, size_t align, size_t *from)
{
    uint64_t m = be->hub && npages < BE_FITS ? be->hub->fits & ~(uint64_t)0 << npages : 0;
    vmb_node_t *node;
    for (; m; m &= m - 1)
        for (node = be->hub->fit[vmb_ctz(m)]; node; node = node->right)
            if (holds(vmbe_run_at(node), npages, align, from))
                return vmbe_run_at(node);
    return NULL;
}

vmbe_run_t *vmbe_fit_find(vmbe_t *be, size_t npages, size_t align, size_t *from)
{
    vmbe_run_t key, *run = listed(be, npages, align, from);
    vmb_node_t *node;
    if (run)
        return run;
    key.base = NULL;
    key.npages = (uint32_t)npages;
    node = vmb_tree_ceil(be->tree, &key.u.f.node, vmbe_run_cmp);
    while (node && !holds(vmbe_run_at(node), npages, align, from))
        node = vmb_tree_next(be->tree, node, vmbe_run_cmp);
    return node ? vmbe_run_at(node) : NULL;
}

vmbe_run_t *vmbe_fit_least(vmbe_t *be)
{
    size_t from;
    return vmbe_fit_find(be, 1, BE_PAGE, &from);
}

vmbe_run_t *vmbe_fit_most(vmbe_t *be)
{
    vmb_node_t *node = vmb_tree_last(be->tree);
    if (node == NULL && be->hub && be->hub->fits)
        node = be->hub->fit[vmb_log2((size_t)be->hub->fits)];
    return node ? vmbe_run_at(node) : NULL;
}

long vmbe_fit_check(vmbe_t *be)
{
    long n = vmb_tree_check(be->tree, vmbe_run_cmp);
    size_t k;
    const vmb_node_t *node;
    for (k = 0; be->hub && n >= 0 && k < BE_FITS; k++) {
        if ((be->hub->fit[k] != NULL) != (be->hub->fits >> k & 1))
            return -1;
        for (node = be->hub->fit[k]; node; node = node->right, n++)
            if (vmbe_run_at(node)->npages != k || !vmbe_run_at(node)->waits)
                return -1;
    }
    return n;
}

void vmbe_fit_reset(vmbe_t *be)
{
    be->tree = NULL;
    if (be->hub == NULL)
        return;
    __builtin_memset(be->hub->fit, 0, sizeof(be->hub->fit));
    be->hub->fits = 0;
}
