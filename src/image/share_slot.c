/* SPDX-License-Identifier: MIT */
/*
 * share_slot: the processes that use a shared image, and which of them live.
 *
 *   lock 0        whoever opens the object, until the region is open
 *   lock 1 + i    the process of slot i, as long as it uses the region
 *
 * The number of a process is its slot and how often that was taken: a number that a dead process left
 * in a lock is nobody's, also when its slot is taken again.
 *
 * The locks go with the process however it ends.  A program that closes descriptors which are not its
 * own (as daemons do) loses them while it lives, so one whose lock is gone is only dead if the slot's
 * process is: its number, when it began, in which boot and space of numbers tell.
 */
#include "share.h"

#include <errno.h>
#include <string.h>

#define NUMBER(slot, taken) ((uint32_t)(taken) << 8 | (slot))
_Static_assert(VMR_SLOTS == 256, "a slot has eight bits in a process' number");

static int running(const vmi_slot_t *slot)
{
    return slot->boot != 0 && slot->boot == vmos_bootid() && slot->space == vmos_pidspace() &&
           slot->began != 0 && slot->began == vmos_began((long)slot->pid);
}

int vmi_slot_lives(const vmi_share_t *s, unsigned slot)
{
    return slot == s->peer.slot || vmos_object_locked(s->fd, 1 + slot) != 0 ||
           running(&s->head->slot[slot]);
}

int vmi_slot_others(const vmi_share_t *s)
{
    unsigned i;

    for (i = 0; i < VMR_SLOTS; i++)
        if (i != s->peer.slot && s->head->slot[i].used && vmi_slot_lives(s, i))
            return 1;
    return 0;
}

int vmi_slot_alive(void *arg, uint32_t who)
{
    const vmi_share_t *s = arg;
    unsigned slot = who % VMR_SLOTS;

    if (who == s->peer.me)
        return 1;
    return NUMBER(slot, s->head->slot[slot].taken) == who && vmi_slot_lives(s, slot);
}

/* What the slot's last process got last is not told of any more. */
static void forget(vmi_share_t *s, unsigned slot)
{
    if (s->vm != NULL && s->vm->data != NULL)
        memset(&s->vm->data->log->recent[slot], 0, sizeof s->vm->data->log->recent[slot]);
}

/* Slot i, locked, is this process'. */
static void settle(vmi_share_t *s, unsigned i)
{
    vmi_slot_t *slot = &s->head->slot[i];

    slot->taken++;
    slot->taken += slot->taken == 0; /* a number is never 0 */
    slot->pid = (uint32_t)vmos_pid();
    slot->boot = vmos_bootid();
    slot->space = vmos_pidspace();
    slot->began = vmos_began(vmos_pid());
    slot->used = 1;
    s->peer.slot = i;
    s->peer.me = NUMBER(i, slot->taken);
}

/* Lock slot i, which nobody living has.  0: somebody does, or it is not used (dead 1) or used (dead 0). */
static int seize(vmi_share_t *s, unsigned i, int dead)
{
    const vmi_slot_t *slot = &s->head->slot[i];

    if (!slot->used != !dead || vmos_object_lock(s->fd, 1 + i, 0) < 0)
        return 0;
    if (!slot->used == !dead && !(dead && running(slot)))
        return 1;
    vmos_object_unlock(s->fd, 1 + i);
    return 0;
}

/* Of the dead the one that began first, and so most likely died first: what the others left may still be asked for. */
static unsigned eldest(vmi_share_t *s)
{
    unsigned i, found = VMR_SLOTS;

    for (i = 0; i < VMR_SLOTS; i++) {
        if (found < VMR_SLOTS && s->head->slot[i].began >= s->head->slot[found].began)
            continue;
        if (!seize(s, i, 1))
            continue;
        if (found < VMR_SLOTS)
            vmos_object_unlock(s->fd, 1 + found);
        found = i;
    }
    return found;
}

/* Those of the dead come last: what they left may be asked for. */
int vmi_slot_take(vmi_share_t *s)
{
    unsigned i = 0;

    s->peer.slot = VMR_SLOTS;
    while (i < VMR_SLOTS && !seize(s, i, 0))
        i++;
    if (i == VMR_SLOTS && (i = eldest(s)) < VMR_SLOTS)
        forget(s, i);
    if (i < VMR_SLOTS) {
        settle(s, i);
        return 0;
    }
    errno = EUSERS;
    return -1;
}

/* What a dead process left has been asked for, block by block: its slot is free for another one. */
void vmi_slot_bury(vmi_share_t *s, unsigned slot)
{
    if (!seize(s, slot, 1))
        return;
    forget(s, slot);
    s->head->slot[slot].used = 0;
    vmos_object_unlock(s->fd, 1 + slot);
}

void vmi_slot_leave(vmi_share_t *s)
{
    if (s->peer.slot >= VMR_SLOTS)
        return;
    forget(s, s->peer.slot);
    s->head->slot[s->peer.slot].used = 0;
    vmos_object_unlock(s->fd, 1 + s->peer.slot);
    s->peer.slot = VMR_SLOTS;
}

/* What leads to the object is the parent's too, and with it its locks. */
int vmi_slot_forked(vmr_peer_t *peer)
{
    vmi_share_t *s = (vmi_share_t *)peer;
    int fd = vmos_object_again(s->fd);

    vmi_share_forked();
    if (fd < 0)
        return -1;
    vmos_object_close(s->fd);
    s->fd = fd;
    return vmi_slot_take(s);
}
