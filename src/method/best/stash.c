/* SPDX-License-Identifier: MIT */
/*
 * stash: large blocks that a thread freed, kept whole by its lane for the next of their size.
 *
 *   lane->stash   pages[i], run[i]   i < n: in the order in which they were freed, the oldest first
 *
 * A large block is a run of its own: to free one joins it with its neighbours, and to allocate one cuts it
 * out again, with the region locked, in a dozen cache lines that are cold when there are many.  A program that
 * frees such blocks and allocates others of their kind shall not pay for that each time (thread caches
 * of jemalloc, Evans 2006, hold sizes of this kind, too).
 *
 * For all others a stashed run stays what it was, a large block in use: it is on its list, and its neighbours
 * do not join it.  run->kept says that its block is free.  Who changes that from 0 to 1 is who frees it
 * (vmbe_large_claim()), so a second free() finds 1.  run->u.l.keeper is the lane that has it.
 *
 * What is kept is bounded: BE_STASH blocks, no more pages than `most`.  That is 0 until the lane frees
 * large blocks, grows by a quarter of each, and is at most a sixteenth of the pages in use, or LEAST, or
 * MOST.  What lies there for one to two BE_DELAY goes back, looked at now and then when the thread frees large blocks
 * or goes through slabs, or when another one does.  All of it goes back before the region grows and when it is
 * compacted, whosever it is: threads that sleep have what others may need.  Regions whose untouched memory is
 * not free have no stash, nor have those that are kept in a file or shared, or have held others in their blocks.
 *
 * Invariants
 *   1. held is the sum of pages[]; n and held are no larger than what is on the region's list.
 *   2. Who changes a stash has set `open`, or is the lane's thread and holds the lock, or holds the lock while no
 *      thread holds the lane.  Others than the lane's thread hold the lock besides.  Nobody waits for `open`: the
 *      lane's thread takes the long way, and others pass over the lane.
 *
 * Cost: a look at BE_STASH numbers in two cache lines; two compare-and-swaps for each block freed, one for each
 * allocated.
 */
#include "best.h"

#define LARGEST 256 /* pages of the largest block that is kept */
#define LEAST 256   /* pages that a stash may come to in a small region */
#define MOST 1024   /* and in any */
#define SHARE 16    /* else one part in so many of the pages in use */
#define TIMED 64    /* blocks freed between two looks at the time */
#define LOOSE 8     /* a block may be larger by one part in so many than was asked for */

/* Blocks that this region's threads keep. */
static int keeps(vmbe_t *be)
{
    return be->reserve && be->log == NULL && !vmr_guests(be->vm) && !(vmr_dcflags(be->vm) & VM_DCKEPT);
}

/* What the pages in use allow; locked. */
static uint32_t bound(const vmbe_t *be)
{
    size_t share = (be->pages - be->freepages) / SHARE;
    return (uint32_t)VMB_MIN(VMB_MAX(share, (size_t)LEAST), (size_t)MOST);
}

/* Whether it is the caller's now: nobody else changes it. */
static int enter(vmbe_stash_t *st)
{
    uint32_t no = 0;
    return __atomic_compare_exchange_n(&st->open, &no, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void leave(vmbe_stash_t *st) { __atomic_store_n(&st->open, 0, __ATOMIC_RELEASE); }

/* Take entry i out. */
static vmbe_run_t *pick(vmbe_stash_t *st, uint32_t i)
{
    vmbe_run_t *run = st->run[i];
    BE_STORE(st->held, st->held - st->pages[i]);
    BE_STORE(st->n, st->n - 1);
    st->seen -= i < st->seen;
    for (; i < st->n; i++) {
        st->run[i] = st->run[i + 1];
        st->pages[i] = st->pages[i + 1];
    }
    return run;
}

/* The oldest go back; locked. */
static void spill(vmbe_lane_t *lane, uint32_t n)
{
    while (n-- > 0) {
        vmbe_run_t *run = pick(&lane->stash, 0);
        vmbe_large_unlink(lane->be, run);
        vmbe_run_give(lane->be, run);
    }
}

void vmbe_stash_flush(vmbe_lane_t *lane)
{
    spill(lane, lane->stash.n);
    BE_STORE(lane->stash.most, 0);
}

void vmbe_stash_age(vmbe_lane_t *lane)
{
    vmbe_stash_t *st = &lane->stash;
    uint32_t now;
    if (st->n == 0 || (now = (uint32_t)vmos_coarsetime()) - st->aged < BE_DELAY)
        return;
    if (st->seen > 0)
        BE_STORE(st->most, st->most - st->most / 4);
    spill(lane, st->seen);
    st->seen = st->n;
    st->aged = now;
}

void vmbe_stash_gather(vmbe_t *be, int all)
{
    vmbe_lane_t *lane, *mine = vmbe_lane_mine(be);
    for (lane = be->log ? NULL : be->lanes; lane; lane = lane->next) {
        if (lane == mine || BE_LOAD(lane->stash.n) == 0 || !enter(&lane->stash))
            continue;
        if (all)
            vmbe_stash_flush(lane);
        else
            vmbe_stash_age(lane);
        leave(&lane->stash);
    }
}

/* There may be a little more, for a run of so many pages had no room; locked. */
static void widen(vmbe_lane_t *lane, uint32_t npages)
{
    BE_STORE(lane->stash.most, VMB_MIN(lane->stash.most + npages / 4 + 1, bound(lane->be)));
}

void vmbe_stash_want(vmbe_lane_t *lane, uint32_t npages)
{
    if (npages <= LARGEST && keeps(lane->be))
        widen(lane, npages);
}

/* Room for one more run, and for some after it; what is due goes back.  The stash is the caller's, so
 * that who holds the lock does not wait for it. */
static void makeroom(vmbe_lane_t *lane, uint32_t npages)
{
    vmbe_stash_t *st = &lane->stash;
    uint32_t n = 0, held;
    vmr_lock(lane->vm);
    vmbe_stash_age(lane);
    widen(lane, npages);
    held = st->held + npages;
    if (st->n == BE_STASH || held > st->most)
        for (; n < st->n && (n < BE_STASH / 4 || held > st->most - st->most / 4); n++)
            held -= st->pages[n];
    spill(lane, n);
    vmr_unlock(lane->vm);
}

static void put(vmbe_lane_t *lane, vmbe_run_t *run)
{
    vmbe_stash_t *st = &lane->stash;
    uint32_t n;
    BE_STORE(run->u.l.keeper, lane);
    if (st->n == BE_STASH || st->held + run->npages > st->most || ++st->puts % TIMED == 0)
        makeroom(lane, run->npages);
    n = st->n;
    st->run[n] = run;
    st->pages[n] = (uint16_t)run->npages;
    BE_STORE(st->n, n + 1);
    BE_STORE(st->held, st->held + run->npages);
}

int vmbe_stash_put(vmbe_t *be, vmbe_run_t *run, const void *p)
{
    vmbe_lane_t *lane;
    uint32_t was;
    int r;
    if (run->base != (const char *)p || run->u.l.page != (const char *)p || run->npages <= BE_SMALLMAX >> BE_SHIFT ||
        run->npages > LARGEST || !keeps(be) || (lane = vmbe_lane_mine(be)) == NULL ||
        run->npages > BE_LOAD(lane->stash.most))
        return 1;
    was = vmbe_lane_enter(lane);
    r = !enter(&lane->stash);
    if (r == 0) {
        if ((r = vmbe_large_claim(run)) == 0)
            put(lane, run);
        leave(&lane->stash);
    }
    vmbe_lane_leave(lane, was);
    return r;
}

/* The tightest that holds npages, of those the one freed last; n: none does. */
static uint32_t find(const vmbe_stash_t *st, size_t npages)
{
    uint32_t i = st->n, best = st->n;
    size_t least = npages + npages / LOOSE + 1;
    while (i-- > 0 && least > npages)
        if (st->pages[i] >= npages && st->pages[i] < least) {
            best = i;
            least = st->pages[i];
        }
    return best;
}

/* What find() finds, out of the stash; NULL: none. */
static vmbe_run_t *take(vmbe_stash_t *st, size_t npages)
{
    uint32_t i = find(st, npages);
    vmbe_run_t *run;
    if (i == st->n)
        return NULL;
    run = pick(st, i);
    run->u.l.zero = 0;
    BE_STORE(run->u.l.keeper, NULL);
    __atomic_store_n(&run->kept, 0, __ATOMIC_RELEASE);
    return run;
}

void *vmbe_stash_take(vmbe_t *be, size_t size)
{
    vmbe_lane_t *lane = vmbe_lane_mine(be);
    vmbe_run_t *run = NULL;
    uint32_t was;
    if (lane == NULL || BE_LOAD(lane->stash.n) == 0)
        return NULL;
    was = vmbe_lane_enter(lane);
    if (enter(&lane->stash)) {
        run = take(&lane->stash, (size + BE_PAGE - 1) >> BE_SHIFT);
        leave(&lane->stash);
    }
    vmbe_lane_leave(lane, was);
    return run ? run->base : NULL;
}

void vmbe_stash_sum(const vmbe_t *be, size_t *n, size_t *bytes)
{
    const vmbe_lane_t *lane;
    *n = *bytes = 0;
    for (lane = be->log ? NULL : be->lanes; lane; lane = lane->next) {
        *n += BE_LOAD(lane->stash.n);
        *bytes += (size_t)BE_LOAD(lane->stash.held) << BE_SHIFT;
    }
}

int vmbe_stash_check(const vmbe_lane_t *lane)
{
    const vmbe_stash_t *st = &lane->stash;
    uint32_t i, held = 0;
    for (i = 0; i < st->n; i++) {
        const vmbe_run_t *run = st->run[i];
        if (run->kind != BE_LARGE || !run->kept || run->u.l.keeper != lane || run->npages != st->pages[i])
            return -1;
        held += st->pages[i];
    }
    return held == st->held && st->seen <= st->n ? 0 : -1;
}
