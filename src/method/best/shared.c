/* SPDX-License-Identifier: MIT */
/*
 * shared: Vmbest in a region that several processes use at the same time (VMR_SHARED).
 *
 * The same descriptors, runs and bits, without what belongs to threads: all calls hold the region's
 * lock, which is one between processes, and there is one lane, of which just the lists of slabs with
 * free blocks are used.
 *
 *   lane->cur[cls].avail -> slab -> slab ...   slabs with free blocks; full ones are on no list
 *
 * A block is a bit of the first slab's first word that has one: no cursor, nothing that a process
 * could take with it when it dies.  Each word that changes is noted in the region's log before it does
 * (region/shared.c), here and in the files that runs, descriptors and granules are changed in; so a call
 * that is cut short anywhere is undone by the next process that gets the lock.
 *
 * What the program gets is noted besides, the last blocks of each process: vmmlost() tells those of
 * processes that died.
 *
 * Cost: the lock, three notes and a handful of instructions for a block of a slab.
 */
#include "best.h"

#include <errno.h>

/* ---- notes ---- */

void vmbe_note_map(vmbe_t *be, const void *page, size_t n)
{
    const char *at = page;
    size_t k;
    for (; n > 0; n -= k, at += k << BE_SHIFT) {
        const void *words;
        k = n;
        words = vmb_map_words(at, &k);
        vmbe_note(be, words, k * sizeof(void *));
    }
}

/* The way down to where the node goes: what stands there is split along the same way. */
void vmbe_note_insert(vmbe_t *be, const vmbe_run_t *run)
{
    vmb_node_t *t = be->tree;
    while (t != NULL) {
        vmbe_note(be, t, sizeof(*t));
        t = vmbe_run_cmp(&run->u.f.node, t) < 0 ? t->left : t->right;
    }
}

/* The node above, and the two inner edges of what is below, which are zipped together. */
void vmbe_note_remove(vmbe_t *be, const vmbe_run_t *run)
{
    const vmb_node_t *node = &run->u.f.node;
    vmb_node_t *t = be->tree, *above = NULL;
    while (t != NULL && t != node) {
        above = t;
        t = vmbe_run_cmp(node, t) < 0 ? t->left : t->right;
    }
    if (above != NULL)
        vmbe_note(be, above, sizeof(*above));
    for (t = node->left; t != NULL; t = t->right)
        vmbe_note(be, t, sizeof(*t));
    for (t = node->right; t != NULL; t = t->left)
        vmbe_note(be, t, sizeof(*t));
}

/* The engine's own members may change. */
static void noteall(vmbe_t *be)
{
    vmbe_note(be, be, sizeof(*be));
}

/* All is in order, and the call goes on. */
static void step(vmbe_t *be)
{
    vmr_step(be->vm);
    noteall(be);
}

/* ---- lists of slabs ---- */

static vmbe_run_t **headof(vmbe_lane_t *lane, const vmbe_run_t *run)
{
    return run->waits ? &lane->few[run->cls] : &lane->cur[run->cls].avail;
}

/* The slab, on no list, has free blocks. */
static void link_slab(vmbe_t *be, vmbe_lane_t *lane, vmbe_run_t *run)
{
    vmbe_run_t **head;
    vmbe_note(be, run, sizeof(*run));
    run->lane = (uintptr_t)lane;
    run->waits = 0;
    run->left = (uint16_t)vmbe_slab_live(run);
    head = headof(lane, run);
    vmbe_note(be, head, sizeof(*head));
    if (*head)
        vmbe_note(be, &(*head)->prev, sizeof(run->prev));
    run->prev = NULL;
    run->next = *head;
    if (*head)
        (*head)->prev = run;
    *head = run;
}

static void unkeep(vmbe_t *be, vmbe_lane_t *lane, vmbe_run_t *run)
{
    vmbe_note(be, run, sizeof(*run));
    vmbe_note(be, &lane->kept, sizeof(lane->kept));
    run->kept = 0;
    lane->kept -= run->npages;
}

static void unlink_slab(vmbe_t *be, vmbe_lane_t *lane, vmbe_run_t *run)
{
    vmbe_run_t **at = run->prev ? &run->prev->next : headof(lane, run);
    vmbe_note(be, at, sizeof(*at));
    vmbe_note(be, run, sizeof(*run));
    if (run->next)
        vmbe_note(be, &run->next->prev, sizeof(run->prev));
    *at = run->next;
    if (run->next)
        run->next->prev = run->prev;
    run->prev = run->next = NULL;
    if (run->kept)
        unkeep(be, lane, run);
}

/* ---- blocks of slabs ---- */

/* The lane, made with the first slab.  NULL: no memory. */
static vmbe_lane_t *thelane(vmbe_t *be)
{
    vmbe_lane_t *lane;
    vmbe_run_t *run;
    if (be->lanes)
        return be->lanes;
    noteall(be);
    run = vmbe_run_get(be, (sizeof(*lane) + BE_PAGE - 1) >> BE_SHIFT, BE_PAGE, BE_LANE);
    if (run == NULL)
        return NULL;
    lane = (vmbe_lane_t *)(void *)run->base;
    vmbe_lane_init(be, lane);
    be->lanes = lane;
    be->nlanes = 1;
    return lane;
}

/* A new slab on the lane's list. */
static vmbe_run_t *fresh(vmbe_t *be, vmbe_lane_t *lane, unsigned cls)
{
    size_t want = vmbe_class_pageswithin(cls, be->pages), least = vmbe_class_leastpages(cls);
    vmbe_run_t *run;
    noteall(be);
    run = vmbe_run_take(be, want, BE_PAGE, BE_SLAB);
    if (run == NULL && want > least)
        run = vmbe_run_take(be, least, BE_PAGE, BE_SLAB);
    if (run == NULL)
        run = vmbe_run_get(be, want, BE_PAGE, BE_SLAB);
    if (run == NULL && want > least)
        run = vmbe_run_take(be, least, BE_PAGE, BE_SLAB);
    if (run == NULL)
        return NULL;
    vmbe_slab_init(lane, run, cls);
    link_slab(be, lane, run);
    return run;
}

/* The first slab of a class that has free blocks, NULL: none. */
static vmbe_run_t *listed(vmbe_t *be, vmbe_lane_t *lane, unsigned cls)
{
    vmbe_run_t *run = lane->cur[cls].avail;
    if (run == NULL && (run = lane->few[cls]) != NULL) { /* all was made anew */
        unlink_slab(be, lane, run);
        link_slab(be, lane, run);
    }
    return run;
}

/* Word w of a slab changes, and the count of blocks in use. */
static void noteword(vmbe_t *be, vmbe_run_t *run, unsigned w)
{
    vmbe_note(be, &run->u.word[w], sizeof(uint64_t));
    vmbe_note(be, &run->left, offsetof(vmbe_run_t, rsum) - offsetof(vmbe_run_t, left));
}

/* A block of a slab that has one. */
static void *take(vmbe_t *be, vmbe_lane_t *lane, vmbe_run_t *run)
{
    unsigned w = 0;
    uint64_t m;
    while ((m = run->u.word[w]) == 0)
        w++;
    if (run->kept)
        unkeep(be, lane, run);
    noteword(be, run, w);
    run->u.word[w] = m & (m - 1);
    run->left++;
    if ((m & (m - 1)) == 0 && vmbe_isfull(run)) {
        unlink_slab(be, lane, run);
        run->lane = (uintptr_t)lane | BE_FULL;
    }
    return run->base + (w * 64 + (unsigned)vmb_ctz(m)) * vmbe_blocksize(run);
}

/* Where memory is scarce: of granules, or a larger block. */
static void *makeshift(vmbe_t *be, vmbe_lane_t *lane, unsigned cls)
{
    void *p = vmbe_small_alloc(be, vmbe_classbytes[cls], 16);
    vmbe_run_t *run;
    for (cls++; p == NULL && cls < BE_CLASSES; cls++)
        if ((run = listed(be, lane, cls)) != NULL)
            p = take(be, lane, run);
    return p;
}

static void *small(vmbe_t *be, unsigned cls)
{
    vmbe_lane_t *lane = thelane(be);
    vmbe_run_t *run;
    if (lane == NULL)
        return NULL;
    run = listed(be, lane, cls);
    if (run == NULL)
        run = fresh(be, lane, cls);
    return run ? take(be, lane, run) : makeshift(be, lane, cls);
}

void *vmbe_shared_get(vmbe_t *be, size_t size)
{
    int again = 1;
    void *p;
    if (size <= BE_SMALLMAX && be->hub && (p = small(be, vmbe_class(size))) != NULL)
        return p;
    if (size > BE_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    noteall(be);
    return vmbe_anywhere(be, size, 16, &again);
}

/* A slab without blocks in use stays, as long as the lane keeps few. */
static void settle(vmbe_t *be, vmbe_lane_t *lane, vmbe_run_t *run)
{
    if (lane->kept + run->npages <= BE_KEEPMAX(run->cls)) {
        vmbe_note(be, run, sizeof(*run));
        vmbe_note(be, &lane->kept, sizeof(lane->kept));
        run->kept = 1;
        lane->kept += run->npages;
        return;
    }
    noteall(be);
    unlink_slab(be, lane, run);
    vmbe_slab_give(lane, run);
}

int vmbe_shared_give(vmbe_t *be, vmbe_run_t *run, void *p)
{
    vmbe_lane_t *lane = be->lanes;
    size_t i = vmbe_index(run, p);
    uint64_t bit = (uint64_t)1 << (i & 63);
    if (i > run->last || (run->u.word[i >> 6] & bit))
        return -1;
    noteword(be, run, (unsigned)(i >> 6));
    run->u.word[i >> 6] |= bit;
    run->left--;
    if (run->waits)
        unlink_slab(be, lane, run);
    if (run->waits || (run->lane & BE_FULL))
        link_slab(be, lane, run);
    if (run->left == 0)
        settle(be, lane, run);
    return 0;
}

/* Those of a list. */
static int flushlist(vmbe_t *be, vmbe_lane_t *lane, vmbe_run_t *run, int stepwise)
{
    vmbe_run_t *next;
    int gave = 0;
    for (; run; run = next) {
        next = run->next;
        if (!vmbe_isempty(run))
            continue;
        unlink_slab(be, lane, run);
        vmbe_slab_give(lane, run);
        gave = 1;
        if (stepwise)
            step(be);
    }
    return gave;
}

int vmbe_shared_flush(vmbe_t *be, int stepwise)
{
    vmbe_lane_t *lane = be->lanes;
    int gave = 0;
    unsigned c;
    for (c = 0; lane && c < BE_CLASSES; c++) {
        gave |= flushlist(be, lane, lane->cur[c].avail, stepwise);
        gave |= flushlist(be, lane, lane->few[c], stepwise);
    }
    return gave;
}

/* ---- the calls ---- */

static void *slack(char *p, size_t from, size_t have)
{
    if (from < have)
        __builtin_memset(p + from, 0, have - from);
    return p;
}

/* How a block is cut: align 0: anyhow. */
static void *get(Vmalloc_t *vm, size_t size, size_t align, size_t *have)
{
    vmbe_t *be;
    void *p;
    vmr_lock(vm);
    be = vmbe_enter(vm);
    if (align == 0) {
        p = vmbe_shared_get(be, size);
    } else {
        noteall(be);
        p = vmbe_alloc_aligned(be, size, align);
    }
    if (p) {
        *have = vmbe_size(be, p);
        vmr_gave(vm, p);
    }
    vmr_unlock(vm);
    return p;
}

static void *shared_alloc(Vmalloc_t *vm, size_t size, int local)
{
    size_t have;
    void *p = get(vm, size, 0, &have);
    (void)local; /* who holds the lock may take it again */
    return p ? slack(p, size, have) : NULL;
}

static void *shared_align(Vmalloc_t *vm, size_t size, size_t align, int local)
{
    size_t have;
    void *p;
    (void)local;
    if (size == 0 || align == 0) {
        errno = EINVAL;
        return NULL;
    }
    p = get(vm, size, align, &have);
    return p ? slack(p, size, have) : NULL;
}

static int freelocked(Vmalloc_t *vm, void *p)
{
    vmbe_t *be = vmbe_enter(vm);
    vmbe_run_t *run = vmb_map_get(p);
    int r;
    if (run == NULL || run->kind != BE_SLAB)
        noteall(be);
    r = vmbe_free_slow(be, p);
    if (r == 0)
        vmr_took(vm, p);
    return r;
}

static int shared_free(Vmalloc_t *vm, void *p, int local)
{
    int r;
    if (p == NULL)
        return 0;
    vmr_lock(vm);
    r = freelocked(vm, p);
    vmr_unlock(vm);
    if (r < 0 && local)
        errno = EINVAL; /* no event under a lock */
    else if (r < 0)
        vmmtbadaddr(vm, p);
    return r;
}

/* Resize where it is.  1: done; 0: it cannot be; -1: there is no such block. */
static int inplace(Vmalloc_t *vm, void *p, size_t size, size_t *old, size_t *now)
{
    vmbe_t *be;
    int r = -1;
    vmr_lock(vm);
    be = vmbe_enter(vm);
    *old = vmbe_size(be, p);
    if (*old != 0) {
        noteall(be);
        r = vmbe_inplace(be, p, *old, size) == 0;
        *now = vmbe_size(be, p);
    }
    vmr_unlock(vm);
    return r;
}

/* A process that dies here leaves two blocks, the new one among those that vmmlost() tells of. */
static void *move(Vmalloc_t *vm, void *p, size_t old, size_t size, int type)
{
    char *q = shared_alloc(vm, size, 0);
    size_t copy = type & VM_RSCOPY ? VMB_MIN(old, size) : 0;
    if (q == NULL)
        return NULL;
    __builtin_memcpy(q, p, copy);
    if (type & VM_RSZERO)
        __builtin_memset(q + copy, 0, size - copy);
    shared_free(vm, p, 0);
    return q;
}

static void *shared_resize(Vmalloc_t *vm, void *p, size_t size, int type, int local)
{
    size_t old, now;
    int r;
    if (p == NULL) {
        p = shared_alloc(vm, size, local);
        return p && (type & VM_RSZERO) ? __builtin_memset(p, 0, size) : p;
    }
    if (size == 0) {
        shared_free(vm, p, local);
        return NULL;
    }
    r = inplace(vm, p, size, &old, &now);
    if (r > 0)
        return slack(p, size > old && (type & VM_RSZERO) ? old : size, now);
    if (r < 0)
        vmmtbadaddr(vm, p);
    else if (type & (VM_RSCOPY | VM_RSMOVE))
        return move(vm, p, old, size, type);
    else
        errno = ENOMEM;
    return NULL;
}

static long shared_addr(Vmalloc_t *vm, void *p, int local)
{
    vmbe_what_t w;
    (void)local;
    vmr_lock(vm);
    w = vmbe_what(vmbe_enter(vm), p);
    vmr_unlock(vm);
    return w.what == BE_BLOCK || w.what == BE_INSIDE ? vmb_long((size_t)((char *)p - w.block)) : -1L;
}

static long shared_size(Vmalloc_t *vm, void *p, int local)
{
    size_t size;
    (void)local;
    vmr_lock(vm);
    size = vmbe_size(vmbe_enter(vm), p);
    vmr_unlock(vm);
    return size ? vmb_long(size) : -1L;
}

/* The pages of a free run go back.  They read as zeros or as before then: nobody relies on either. */
static void purge(vmbe_t *be, vmbe_run_t *run)
{
    size_t unit = VMB_MAX(vmos_pagesize(), (size_t)BE_PAGE);
    char *lo = (char *)VMB_UP(run->base + ((size_t)run->u.f.dlo << BE_SHIFT), unit);
    char *hi = (char *)VMB_DOWN(run->base + ((size_t)run->u.f.dhi << BE_SHIFT), unit);
    if (hi <= lo || vmr_purge(be->vm, lo, (size_t)(hi - lo)) < 0)
        return;
    vmbe_note(be, run, sizeof(*run));
    run->u.f.dlo = run->u.f.dhi = 0;
    step(be);
}

/* Only when asked to: sharers take no time for it on the way, and keep no list. */
static void purgeall(vmbe_t *be)
{
    vmb_node_t *node = vmb_tree_first(be->tree);
    for (; node; node = vmb_tree_next(be->tree, node, vmbe_run_cmp))
        purge(be, vmbe_run_at(node));
}

static int shared_compact(Vmalloc_t *vm, int local)
{
    vmbe_t *be;
    (void)local;
    vmr_lock(vm);
    be = vmbe_enter(vm);
    noteall(be);
    vmbe_shared_flush(be, 1);
    purgeall(be);
    vmr_unlock(vm);
    return 0;
}

void vmbe_shared_settle(Vmalloc_t *vm)
{
    if (!vmr_shared(vm))
        return;
    vm->meth.allocf = shared_alloc;
    vm->meth.resizef = shared_resize;
    vm->meth.freef = shared_free;
    vm->meth.addrf = shared_addr;
    vm->meth.sizef = shared_size;
    vm->meth.compactf = shared_compact;
    vm->meth.alignf = shared_align;
}
