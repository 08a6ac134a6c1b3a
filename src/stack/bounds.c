/* SPDX-License-Identifier: MIT */
/*
 * How far a stack can be read.  The system is asked once for each page of a thread's stack that a
 * walk begins in, not for each walk.
 *
 *   sp                    top: the thread's descriptor, or where the program began
 *   |#####################|
 *   low                   high
 *
 * What reaches up to the top of the thread's stack stays readable while the thread is in those
 * frames, so it is kept, in a table by thread: three words whose check fits only if they belong
 * together (see rule.c).  Other stacks, that of a signal handler or of a coroutine, may go at any
 * time, and are asked for in each walk, a little above sp only.  That something between such a
 * stack and the thread's cannot be read is found out from the top down, which touches nothing but
 * the thread's own stack, and is kept, too: it holds for all addresses below.
 */
#include "walk.h"

#define SLOTS 256u
#define FAR ((uintptr_t)256 << 20) /* a thread's stack is not sought farther from its top */
#define SOME (16u * 4096)          /* asked for at once of stacks whose top is not known */
#define FRAME ((uintptr_t)512 << 10) /* a frame there is not larger; a pointer to the thread's
                                      * own frames, which makecontext() may leave, leads farther */

typedef struct kept {
    uintptr_t check, low, high;
} kept_t;

/* What lies below is not on the stack that ends at a top. */
typedef struct other {
    uintptr_t check, below;
} other_t;

static kept_t table[SLOTS];
static other_t others[SLOTS];

static kept_t *slot_of(uintptr_t self)
{
    return &table[vmb_mix(self) & (SLOTS - 1)];
}

static uintptr_t check_of(uintptr_t self, uintptr_t low, uintptr_t high)
{
    return self ^ (low << 1 | low >> (sizeof(low) * 8 - 1)) ^ ~high;
}

static int recall(vmsk_bounds_t *b, uintptr_t self)
{
    kept_t *k = slot_of(self);
    b->low = __atomic_load_n(&k->low, __ATOMIC_RELAXED);
    b->high = __atomic_load_n(&k->high, __ATOMIC_RELAXED);
    return __atomic_load_n(&k->check, __ATOMIC_RELAXED) == check_of(self, b->low, b->high);
}

static void keep(const vmsk_bounds_t *b, uintptr_t self)
{
    kept_t *k = slot_of(self);
    __atomic_store_n(&k->check, check_of(self, b->low, b->high), __ATOMIC_RELAXED);
    __atomic_store_n(&k->low, b->low, __ATOMIC_RELAXED);
    __atomic_store_n(&k->high, b->high, __ATOMIC_RELAXED);
}

static other_t *other_of(uintptr_t self, uintptr_t top)
{
    return &others[vmb_mix(self ^ ~top) & (SLOTS - 1)];
}

static uintptr_t check_of_other(uintptr_t self, uintptr_t top, uintptr_t below)
{
    return self ^ ~top ^ (below << 1 | below >> (sizeof(below) * 8 - 1));
}

static int is_other(uintptr_t low, uintptr_t self, uintptr_t top)
{
    const other_t *o = other_of(self, top);
    uintptr_t below = __atomic_load_n(&o->below, __ATOMIC_RELAXED);
    return low <= below &&
           __atomic_load_n(&o->check, __ATOMIC_RELAXED) == check_of_other(self, top, below);
}

static void keep_other(uintptr_t low, uintptr_t self, uintptr_t top)
{
    other_t *o = other_of(self, top);
    __atomic_store_n(&o->check, check_of_other(self, top, low), __ATOMIC_RELAXED);
    __atomic_store_n(&o->below, low, __ATOMIC_RELAXED);
}

static int reaches(uintptr_t low, uintptr_t end)
{
    while (low < end) {
        uintptr_t from = end - low > SOME ? end - SOME : low;
        if (vmos_readable(from, end - from) < end - from)
            return 0;
        end = from;
    }
    return 1;
}

VMOS_COLD static void ask(vmsk_bounds_t *b, uintptr_t sp, uintptr_t self, int recalled)
{
    uintptr_t page = vmos_pagesize(), low = VMB_DOWN(sp, page), top = vmos_stacktop(sp), end;
    uintptr_t high = VMB_UP(top, page);
    if (top != 0 && top - sp < FAR && !is_other(low, self, top)) {
        int joins = recalled && b->high == high && b->low > low;
        end = joins ? b->low : high;
        if (reaches(low, end)) {
            b->low = low;
            b->high = high;
            keep(b, self);
            return;
        }
        keep_other(low, self, top);
    }
    b->low = low;
    b->high = low + vmos_readable(low, SOME);
}

int vmsk_bounds_find(vmsk_bounds_t *b, uintptr_t sp)
{
    uintptr_t self = vmos_self();
    int recalled;
    if (!b->own) {
        b->low = VMB_DOWN(sp, vmos_pagesize());
        b->high = b->low + vmos_readable(b->low, SOME);
        return b->low < b->high;
    }
    recalled = recall(b, self);
    if (VMOS_UNLIKELY(!recalled || sp - b->low >= b->high - b->low))
        ask(b, sp, self, recalled);
    return b->low < b->high;
}

int vmsk_bounds_kept(vmsk_bounds_t *b)
{
    return recall(b, vmos_self());
}

VMOS_COLD int vmsk_bounds_widen(vmsk_bounds_t *b, uintptr_t addr, size_t size)
{
    uintptr_t end = addr + size;
    if (addr < b->low || end < addr || end - b->low > FAR || (b->own && end > b->high + FRAME))
        return 0;
    if (end > b->high)
        b->high += vmos_readable(b->high, VMB_UP(end - b->high, SOME));
    return end <= b->high;
}
