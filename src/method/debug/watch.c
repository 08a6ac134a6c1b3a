/* SPDX-License-Identifier: MIT */
/*
 * watch: hardware watchpoints: the second run stops at the instruction that broke a fence.
 *
 *   watch=ADDR       writes to the 8 bytes around the address
 *   watch=alloc:N    writes to the 8 bytes before, and to 8 in the fence behind, what operation N made
 *   watch=front      reads and writes in the 8 bytes before the four newest blocks
 *
 * Processors have four.  What libc and this library do is passed over: string functions read whole
 * vectors, and fences are ours.  Moving one takes some 3 us.
 */
#include "books.h"
#include "os_debug.h"
#include "os_stack.h"

#include <errno.h>
#include <string.h>

typedef struct slot {
    const char *addr;
    uint32_t id;      /* the block that it is at, 0: what the user named */
    const char *block;
} slot_t;

static slot_t slots[VMOS_WATCHES];
static int nslots, first; /* there are so many; those before first stay where they are */
static unsigned turn;
int vmdg_watching;

/* ---- hits ---- */

static const vmsk_module_t *moduleof(const void *pc)
{
    const vmsk_module_t *m = NULL;
    uintptr_t offset;
    return vmsk_place(pc, &m, &offset) == 0 ? m : NULL;
}

static uintptr_t pcof(const void *context)
{
    vmos_regs_t r;
    return vmos_regs_of_context(&r, context) == 0 ? r.pc : 0;
}

/* Whether the block is still the one that the slot was set for. */
static int current(const slot_t *s)
{
    const vmdg_desc_t *d = vmdg_desc(s->id);
    return vmdg_stateof(vmdg_what(d)) == VMDG_LIVE && vmdg_addr(d) == s->block;
}

static void fillin(vmdg_error_t *e, const slot_t *s, const void *context)
{
    memset(e, 0, sizeof *e);
    e->when = VMDG_ATACCESS;
    e->addr = s->addr;
    e->context = context;
    e->stack = vmdg_here_of(context);
    e->thread = vmdg_thisthread();
    e->found = vmdg_now();
    if (s->id != 0)
        vmdg_fill(&e->block, s->id);
    else
        vmdg_around(s->addr, &e->block);
    if (e->block.addr != NULL)
        e->offset = s->addr - e->block.addr;
    e->region = e->block.region;
}

static void hit(int i, const void *context)
{
    const slot_t *s = &slots[i];
    const vmsk_module_t *m;
    vmdg_error_t e;
    m = moduleof((void *)(pcof(context) + 1));
    if (vmdg_self.inside || m == moduleof((void *)((uintptr_t)hit + 1)))
        return;
    if (s->id != 0 && (!current(s) || m == moduleof((void *)((uintptr_t)&strlen + 1))))
        return;
    fillin(&e, s, context);
    if (s->id == 0) {
        e.kind = VMDG_WATCH;
        e.detail = "written";
        e.access = VMDG_WRITE;
    } else {
        e.kind = s->addr < s->block ? VMDG_BEFORE : VMDG_PAST;
        e.access = i < first ? VMDG_WRITE : VMDG_UNKNOWN;
        if (e.access == VMDG_WRITE) /* the fence needs no report of its own */
            __atomic_fetch_or(&vmdg_desc(s->id)->what, VMDG_REPORTED, __ATOMIC_RELAXED);
    }
    vmdg_tell(&e);
}

/* ---- setting ---- */

static int place(int i, const char *addr, uint32_t id, int reads)
{
    const char *window = (const char *)VMB_DOWN(addr, 8);
    slots[i] = (slot_t){window, id, id != 0 ? vmdg_addr(vmdg_desc(id)) : NULL};
    return vmos_watch(i, window, 8, reads);
}

/* For the four newest: the ones before `first` are taken. */
static void infront(uint32_t id, const char *p)
{
    unsigned n = (unsigned)(nslots - first);
    if (n != 0)
        place(first + (int)(__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED) % n), p - 8, id, 1);
}

/* A write to the front fence of a block with guards below faults anyway, and its page is not there. */
void vmdg_watch_made(uint32_t id, uint64_t op)
{
    const vmdg_desc_t *d = vmdg_desc(id);
    uint64_t what = vmdg_what(d);
    const char *p = vmdg_addr(d), *end = p + vmdg_sizeof(what);
    if (op == vmdg_options.watchalloc) {
        if (first < nslots && vmdg_guardof(what) != VMDG_BELOW)
            place(first++, p - 8, id, 0);
        if (first < nslots && vmdg_fence_end(p, vmdg_sizeof(what), vmdg_guardof(what)) - end >= 8)
            place(first++, (const char *)VMB_UP(end, 8), id, 0);
    } else if (vmdg_options.watchfront && vmdg_guardof(what) != VMDG_BELOW) {
        infront(id, p);
    }
}

void vmdg_watch_begin(void)
{
    const vmdg_options_t *o = &vmdg_options;
    int keep = errno;
    if (nslots != 0 || (o->watch[0] == NULL && o->watchalloc == 0 && !o->watchfront))
        return;
    nslots = vmos_watch_begin(hit);
    if (nslots == 0)
        vmb_fault("watch: this system gives no hardware watchpoints (error %d)", errno);
    for (int i = 0; i < 4 && o->watch[i] != NULL && first < nslots; i++)
        if (place(first++, o->watch[i], 0, 0) != 0)
            vmb_fault("watch: %p cannot be watched", (void *)(uintptr_t)o->watch[i]);
    vmdg_watching = nslots != 0;
    errno = keep;
}

void vmdg_watch_forked(void)
{
    if (nslots != 0)
        vmos_watch_forked();
    nslots = first = 0;
    vmdg_watching = 0;
}
