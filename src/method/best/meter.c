/* SPDX-License-Identifier: MIT */
/*
 * meter: a lane's blocks are counted, by class, without a look at each of them; so samples of them can
 * be taken (Vmprofile) while malloc() and free() go their fast ways unchanged.
 *
 *   most = free blocks of the current slab + left       left: frees until vmbe_slab_notice()
 *
 * A block that is given takes one from the free blocks and so from `most`; one that is freed adds one and
 * takes one from `left`: `most` stays.  So how much it has gone down since the last look is how many
 * blocks were given, and no more than `most` can be given before the lane comes by a slow path, where all
 * this is done.  With `left` such that `most` is the room that there is, it comes by in time.
 *
 * Near the end of the room the cursor is veiled: it points to a word of the slab's descriptor that is
 * 0, so that each block takes the slow path and is counted there.  The slab is still the current one.
 *
 *   cursor.word --> run->u.word[w]     as ever: blocks
 *               --> run->veil          always 0: none to be seen
 *
 * Invariant: where a class has a current slab and its cursor is not veiled, most <= room.  As both go down
 * by one with each block, it is enough that it holds for what the last look has found.
 *
 * Blocks become free in other ways as well: others' that are collected, and those freed by a slow path.
 * These are added to `most` (vmbe_meter_gain()).
 *
 * Cost: a look for 65 535 blocks at most, and for each of the last NEAR and a slab before one is due.
 */
#include "fast.h"

#define NEAR 16   /* with less room than that beside what is free, each block is looked at */
#define SPARE 256 /* room that is left, if there is more, for what others free */

static unsigned nfree(const vmbe_run_t *run)
{
    unsigned w, n = 0;
    for (w = 0; w < 4; w++) {
        uint64_t x = BE_LOAD(run->u.word[w]);
        if (x != 0)
            n += x == ~(uint64_t)0 ? 64 : (unsigned)vmb_pop(x);
    }
    return n;
}

int64_t vmbe_meter_look(vmbe_lane_t *lane, unsigned cls)
{
    vmbe_meter_t *m = lane->meter;
    vmbe_run_t *run = vmbe_current(&lane->cur[cls]);
    uint32_t most = run != &lane->none ? nfree(run) + run->left : 0;
    if (run != &lane->none && most < m->cls[cls].most) {
        m->bytes += (uint64_t)(m->cls[cls].most - most) * vmbe_classbytes[cls];
        m->cls[cls].room -= m->cls[cls].most - most;
    }
    m->cls[cls].most = most;
    return m->cls[cls].room;
}

void vmbe_meter_arm(vmbe_lane_t *lane, unsigned cls)
{
    vmbe_cursor_t *c = &lane->cur[cls];
    vmbe_run_t *run = vmbe_current(c);
    unsigned n;
    int64_t rest;
    lane->meter->cls[cls].most = 0;
    if (run == &lane->none)
        return;
    n = nfree(run);
    rest = lane->meter->cls[cls].room - n;
    if (rest > SPARE)
        run->left = (uint16_t)VMB_MIN(rest - SPARE, UINT16_MAX);
    else
        run->left = rest < NEAR ? UINT16_MAX : (uint16_t)rest;
    lane->meter->cls[cls].most = n + run->left;
    if (rest < NEAR) {
        run->veil = 0;
        c->word = &run->veil;
    } else if (vmbe_veiled(c)) {
        vmbe_aim(c, run);
    }
}

/* Behind the veil one block is one less of `most`, without a look. */
void *vmbe_meter_next(vmbe_lane_t *lane, unsigned cls)
{
    vmbe_cursor_t *c = &lane->cur[cls];
    vmbe_run_t *run = vmbe_current(c);
    int veiled = vmbe_veiled(c);
    void *p = vmbe_aim(c, run) ? vmbe_next(c) : NULL;
    if (veiled && p != NULL) {
        c->word = &run->veil;
        lane->meter->bytes += c->size;
        lane->meter->cls[cls].room--;
        lane->meter->cls[cls].most--;
    }
    return p;
}

void vmbe_meter_gain(vmbe_lane_t *lane, vmbe_run_t *run, unsigned n)
{
    vmbe_meter_t *m = lane->meter;
    vmbe_cursor_t *c = &lane->cur[run->cls];
    if (vmbe_current(c) != run)
        return;
    m->cls[run->cls].most += n;
    if (m->cls[run->cls].most > m->cls[run->cls].room && !vmbe_veiled(c)) {
        vmbe_meter_look(lane, run->cls);
        vmbe_meter_arm(lane, run->cls);
    }
}

uint64_t vmbe_meter_bytes(vmbe_lane_t *lane)
{
    for (unsigned c = 0; c < BE_CLASSES; c++)
        if (lane->meter->cls[c].most != 0 && !vmbe_veiled(&lane->cur[c]))
            vmbe_meter_look(lane, c);
    return lane->meter->bytes;
}

void vmbe_meter_begin(vmbe_lane_t *lane, vmbe_meter_t *m)
{
    int goeson = lane->meter == m;
    lane->meter = m;
    for (unsigned c = 0; c < BE_CLASSES; c++) {
        if (goeson) /* what the lane gave to a thread that is gone counts, or short ones would have no samples */
            vmbe_meter_look(lane, c);
        vmbe_meter_arm(lane, c);
    }
}
