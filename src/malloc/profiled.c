/* SPDX-License-Identifier: MIT */
/*
 * profiled: what the malloc interface does for profiles; profiled.h has the idea.
 */
#include "profiled.h"
#include "debugged.h"
#include "method_tables.h"
#include "options.h"

#include <string.h>

Vmalloc_t *vmma_samples, *vmma_profiled;
static Vmdisc_t *profiledisc;

/* ---- samples ---- */

int vmma_drawn(size_t size)
{
    vmpf_book_t *b = vmpf_enter();
    int64_t bytes = (int64_t)vmpf_bytes(size);
    int fresh = vmpf_left < VMPF_UNDRAWN;
    if (b == NULL) { /* nothing is recorded just now: ask again later */
        vmpf_left = vmpf_settings.period < INT64_MAX ? (int64_t)vmpf_settings.period : INT64_MAX;
        return 0;
    }
    if (fresh) {
        vmpf_draw(b);
        vmpf_left -= bytes;
    }
    if (vmpf_left < 0)
        vmpf_draw(b);
    else
        fresh = -1;
    vmpf_leave(b);
    return fresh >= 0;
}

/* Room for more blocks of a class. */
static void draw(vmbe_meter_t *m, vmpf_book_t *b, unsigned cls)
{
    m->cls[cls].room = b != NULL ? vmpf_draw_blocks(b, vmbe_classbytes[cls])
                                 : (int64_t)(vmpf_settings.period / vmbe_classbytes[cls]) + 1;
}

/* A lane keeps its meter when its thread ends: what is left of draws is as good for the next one. */
VMOS_COLD int vmma_meter_add(vmbe_lane_t *lane)
{
    vmbe_meter_t *m = lane->meter;
    vmpf_book_t *b;
    if (lane == &vmbe_nolane || vmma_sampler != NULL || (b = vmpf_enter()) == NULL)
        return 0;
    if (m == NULL && (m = vmos_map(NULL, VMB_UP(sizeof *m, vmos_pagesize()), 0)) != NULL)
        for (unsigned c = 0; c < BE_CLASSES; c++)
            draw(m, b, c);
    if (m != NULL) {
        vmbe_meter_begin(lane, m);
        vmpf_clock(b, lane);
        lane->front = Vmheap;
    }
    vmpf_leave(b);
    return m != NULL;
}

/* What Vmheap gave otherwise, to one who asked for memory of that region, is counted but never a
 * sample.  If a point fell on such a block, it is gone: room is below 0. */
int vmma_meter_drawn(vmbe_lane_t *lane, unsigned cls)
{
    int64_t room = vmbe_meter_look(lane, cls);
    vmpf_book_t *b = vmpf_enter();
    int due;
    due = b != NULL && room == 0;
    draw(lane->meter, b, cls);
    if (b != NULL && !due && lane->meter->cls[cls].room == 0) {
        due = 1;
        draw(lane->meter, b, cls);
    }
    lane->meter->bytes += due ? vmbe_classbytes[cls] : 0;
    vmbe_meter_arm(lane, cls);
    if (b != NULL)
        vmpf_leave(b);
    return due;
}

void *vmma_sample(size_t size, size_t align)
{
    void *p = NULL;
    if (size <= PTRDIFF_MAX && align <= PTRDIFF_MAX)
        p = align != 0 ? (*vmma_samples->meth.alignf)(vmma_samples, size, align, 0)
                       : (*vmma_samples->meth.allocf)(vmma_samples, size, 0);
    return VMOS_LIKELY(p != NULL) ? p : vmma_nomemory();
}

/* Where blocks of malloc() stay as they are nobody sees them, and none of them becomes a sample: so a sample
 * remains one there, and stands for them; of those that shrink to a smaller class as many as are due with
 * the new size. */
static int remains(size_t old, size_t size)
{
    static uint32_t turn;
    double odds = vmpf_weight(old) / vmpf_weight(size);
    return vmpf_round(VMB_MIN(odds, 1), __atomic_add_fetch(&turn, 1, __ATOMIC_RELAXED)) != 0;
}

/* Bytes of a block of malloc() for which so many were asked. */
static size_t have(size_t size)
{
    return size <= BE_SMALLMAX ? vmpf_bytes(size) : VMB_UP(size, BE_PAGE);
}

/* Whatever the block was: it stays in its region if it may, and moves to the other if it must. */
void *vmma_resample(Vmalloc_t *vm, void *p, size_t old, size_t size)
{
    int e = errno, sample = vm == vmma_samples;
    int due = sample && vmma_fits(have(old), size) ? remains(old, size) : vmma_due(size);
    void *q;
    if (due == sample) {
        q = (*vm->meth.resizef)(vm, p, size, VM_RSCOPY | VM_RSMOVE, 0);
        return VMOS_LIKELY(q != NULL) ? q : vmma_nomemory();
    }
    q = sample ? (*Vmheap->meth.allocf)(Vmheap, size, 0) : vmma_sample(size, 0);
    if (q != NULL) {
        memcpy(q, p, VMB_MIN(old, size));
        vmma_free(p);
        errno = e;
    }
    return VMOS_LIKELY(q != NULL) ? q : vmma_nomemory();
}

/* ---- every block ---- */

void *vmma_profile_cleared(size_t size)
{
    void *p = NULL;
    if (size <= PTRDIFF_MAX)
        p = (*Vmregion->meth.resizef)(Vmregion, NULL, size, VM_RSZERO, 0);
    return VMOS_LIKELY(p != NULL) ? p : vmma_nomemory();
}

/* ---- begin ---- */

/* Their handles lie in their own memory: when a program clears Vmheap, malloc() goes on. */
static Vmalloc_t *open_samples(Vmdisc_t *disc)
{
    Vmalloc_t *vm = vmopen(disc, Vmprofile, VM_MEMORYF);
    if (vm == NULL)
        return NULL;
    vmpf_of(vm)->all = 1;
    vmpf_of(vm)->malloc = 1;
    vmname(vm, "malloc, samples");
    __atomic_store_n(&vmma_profiled, vm, __ATOMIC_RELEASE);
    __atomic_store_n(&vmma_samples, vm, __ATOMIC_RELEASE);
    return vm;
}

static Vmalloc_t *open_all(Vmdisc_t *disc)
{
    Vmethod_t *under = vmma_options.method, *meth = Vmprofile;
    Vmalloc_t *vm;
    if (under != NULL)
        meth = vmover(Vmprofile, under);
    vm = meth != NULL ? vmopen(disc, meth, VM_MEMORYF) : NULL;
    if (vm == NULL)
        return NULL;
    vmpf_of(vm)->malloc = 1;
    vmname(vm, "malloc");
    if (vmmt_under(vm) == &vmmt_best && !vmma_options.keep)
        vmma_profiled = vm;
    return vm;
}

/* Lanes that threads had before: malloc()'s fast path does not count. */
static void withdraw_lanes(void)
{
    vmr_lock(Vmheap);
    for (vmbe_lane_t *lane = vmbe_of(Vmheap)->lanes; lane != NULL; lane = lane->next)
        lane->front = NULL;
    vmr_unlock(Vmheap);
}

/* One thread does it.  Those still in the region of before draw for its blocks themselves. */
void vmma_profile_turn(void)
{
    Vmalloc_t *before = vmma_profiled;
    int e = errno;
    if (__atomic_exchange_n(&vmpf.turned, 0, __ATOMIC_ACQUIRE) == 0 || vmma_samples != NULL)
        return;
    if (open_samples(profiledisc) != NULL) {
        withdraw_lanes();
        __atomic_compare_exchange_n(&Vmregion, &before, Vmheap, 0, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED);
    }
    errno = e;
}

static void note(Vmalloc_t *vm)
{
    vmr_lock(vm);
    vmpf_region_note(vm);
    vmr_unlock(vm);
}

/* With the name of the file made a string. */
static void open_file(void)
{
    char path[VMPF_PATH];
    size_t n = vmma_options.profilelen;
    if (n == 0)
        return;
    if (n < sizeof path) {
        memcpy(path, vmma_options.profilefile, n);
        path[n] = '\0';
        if (vmprofilefile(path) == 0)
            return;
    }
    vmb_fault("profile=%.*s: cannot be written", (int)VMB_MIN(n, 200), vmma_options.profilefile);
}

static void on_signal(int signal)
{
    (void)signal;
    vmpf_copy_file(VMPF_SIGNAL);
}

Vmalloc_t *vmma_profile_open(Vmdisc_t *disc)
{
    Vmalloc_t *vm;
    open_file();
    profiledisc = disc;
    vm = vmpf_sampling() ? open_samples(disc) : open_all(disc);
    if (vm == NULL)
        return NULL;
    note(vm);
    if (vmma_options.profilesignal > 0)
        vmos_onsignal(vmma_options.profilesignal, on_signal);
    return vm != vmma_samples ? vm : NULL;
}

/* The original's report. */
void vmma_profile_end(void)
{
    if (vmma_options.profile && vmma_options.profilefd >= 0)
        vmprofile(NULL, vmma_options.profilefd);
}
