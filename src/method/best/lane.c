/* SPDX-License-Identifier: MIT */
/*
 * lane: threads find, take and leave their lanes.
 *
 * A lane is found by the thread's number through a table in the region that only remembers; all
 * lanes are on a list that never loses one while the region is open.  A thread that ends leaves its
 * lane with all slabs in it to the next thread that needs one; until then slabs with free
 * blocks are taken from it one by one (slab.c).
 */
#include "best.h"

#define PAGES ((sizeof(vmbe_lane_t) + BE_PAGE - 1) >> BE_SHIFT)

#define NONE {vmbe_nolane.none.u.word, NULL, 0, NULL}
#define NONE8 NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE
vmbe_lane_t vmbe_nolane = {
    .cur = {NONE8, NONE8, NONE8, NONE8, NONE8, NONE8, NONE8, NONE8, NONE8}};

#define TAB8                                                                                      \
    &vmbe_nolane, &vmbe_nolane, &vmbe_nolane, &vmbe_nolane, &vmbe_nolane, &vmbe_nolane,           \
        &vmbe_nolane, &vmbe_nolane
vmbe_lane_t *vmbe_notab[BE_TAB] = {TAB8, TAB8, TAB8, TAB8, TAB8, TAB8, TAB8, TAB8};

void vmbe_lane_init(vmbe_t *be, vmbe_lane_t *lane)
{
    unsigned c;
    vmos_own(lane, sizeof(*lane));
    __builtin_memset(lane, 0, sizeof(*lane));
    for (c = 0; c < BE_CLASSES; c++) {
        vmbe_leave(lane, c);
        lane->cur[c].size = vmbe_classbytes[c];
    }
    lane->vm = be->vm;
    lane->be = be;
}

vmbe_lane_t *vmbe_lane_mine(vmbe_t *be)
{
    uintptr_t self = vmos_self();
    size_t slot = vmbe_tabslot(self);
    vmbe_lane_t *lane;
    if (be->log)
        return be->lanes;
    if (vmr_single(be->vm))
        return be->first == &vmbe_nolane ? NULL : be->first;
    lane = BE_SEE(BE_SEE(be->tab)[slot]);
    if (BE_LOAD(lane->tid) == self)
        return lane;
    for (lane = __atomic_load_n(&be->lanes, __ATOMIC_ACQUIRE); lane; lane = lane->next)
        if (BE_LOAD(lane->tid) == self) {
            BE_SHOW(BE_SEE(be->tab)[slot], lane);
            return lane;
        }
    return NULL;
}

/* A lane that no thread holds; locked. */
static vmbe_lane_t *idle(vmbe_t *be)
{
    vmbe_lane_t *lane = be->nidle ? be->lanes : NULL;
    while (lane && lane->tid != 0)
        lane = lane->next;
    return lane;
}

/* A new one on pages of its own; none if there are none. */
static vmbe_lane_t *make(vmbe_t *be, vmbe_run_t *run)
{
    vmbe_lane_t *lane = run ? (vmbe_lane_t *)(void *)run->base : NULL;
    if (lane == NULL)
        return NULL;
    vmbe_lane_init(be, lane);
    lane->next = be->lanes;
    __atomic_store_n(&be->lanes, lane, __ATOMIC_RELEASE);
    be->nlanes++;
    be->nidle++;
    return lane;
}

vmbe_lane_t *vmbe_lane_idle(vmbe_t *be)
{
    vmbe_lane_t *lane = idle(be);
    return lane ? lane : make(be, vmbe_run_take(be, PAGES, BE_PAGE, BE_LANE));
}

/* For a thread that begins; locked. */
static vmbe_lane_t *take(vmbe_t *be)
{
    vmbe_lane_t *lane = idle(be);
    if (lane == NULL)
        lane = make(be, vmbe_run_get(be, PAGES, BE_PAGE, BE_LANE));
    be->nidle -= lane != NULL;
    return lane;
}

vmbe_lane_t *vmbe_lane_get(vmbe_t *be)
{
    vmbe_lane_t *lane = vmbe_lane_mine(be);
    if (lane)
        return lane;
    vmr_lock(be->vm);
    lane = take(be);
    if (lane) {
        BE_STORE(lane->tid, vmos_self());
        BE_SHOW(be->tab[vmbe_tabslot(vmos_self())], lane);
        if (be->first == &vmbe_nolane)
            BE_SHOW(be->first, lane);
    }
    vmr_unlock(be->vm);
    if (lane && !vmr_single(be->vm))
        vmos_watchthread();
    return lane;
}

void vmbe_lane_exit(vmbe_t *be, uintptr_t tid)
{
    vmbe_lane_t *lane;
    for (lane = be->lanes; lane; lane = lane->next)
        if (lane->tid == tid && !vmr_single(be->vm)) {
            if (lane->cache)
                *lane->cache = &vmbe_nolane;
            lane->cache = NULL;
            vmbe_drain(lane, 1);
            if (be->nidle >= (unsigned)vmos_cpus()) /* else the next thread shall find it warm */
                vmbe_flush(lane, 1);
            vmbe_stash_flush(lane);
            BE_STORE(lane->tid, 0);
            be->nidle++;
        }
}
