/* SPDX-License-Identifier: MIT */
/*
 * times: the heap over time, in a table of fixed size.
 *
 *   | now | ... | now |        RECORDS of them; when it is full, each two become one, and the spans
 *                              between twice as long
 *
 * So there are always between RECORDS / 2 and RECORDS of them, at even distances, for a second as
 * for a month.  Threads look at the clock every VMPF_TICK operations; while nothing is allocated
 * nothing changes, and nothing is written.  The same look finds that it is time for samples.
 */
#include "profile.h"

#include <errno.h>
#include <string.h>

#define RECORDS 1000
#define SPAN 1000000u    /* ns: of the first records */
#define SETTLE 20000000u /* ns that a child of fork lives before it has a file: most become another
                            program before */

static uint64_t forkedat;
static vmos_lock_t writing;

uint64_t vmpf_now(void)
{
    uint64_t now = vmos_coarsetime() * 1000000u;
    return now > vmpf.origin ? now - vmpf.origin : 0;
}

/* Two records become the later one. */
static void join(Vmpfsection_t *s)
{
    Vmpftime_t *t = (Vmpftime_t *)(void *)(s + 1);
    size_t n = s->used / sizeof *t / 2;
    for (size_t i = 0; i < n; i++) {
        uint64_t most = VMB_MAX(t[2 * i].most, t[2 * i + 1].most);
        t[i] = t[2 * i + 1];
        t[i].most = most;
    }
    s->used = n * sizeof *t;
    memset(t + n, 0, n * sizeof *t);
}

static void write_time(uint64_t now)
{
    Vmpfsection_t *s = VMPF_AT(Vmpfsection_t, vmpf.times);
    Vmpftime_t *t;
    if (vmpf.span == 0)
        vmpf.span = SPAN;
    if (s->used >= RECORDS * sizeof *t) {
        join(s);
        vmpf.span *= 2;
    }
    t = (Vmpftime_t *)(void *)((char *)(s + 1) + s->used);
    t->time = now;
    t->live = __atomic_load_n(&vmpf.head->live, __ATOMIC_RELAXED);
    t->blocks = __atomic_load_n(&vmpf.head->blocks, __ATOMIC_RELAXED);
    t->most = VMB_MAX(VMPF_GET(vmpf.most), t->live);
    t->resident = vmos_resident();
    __atomic_store_n(&s->used, s->used + sizeof *t, __ATOMIC_RELEASE);
    VMPF_SET(vmpf.most, t->live);
    VMPF_SET(vmpf.due, now + vmpf.span);
}

void vmpf_times_end(void)
{
    uint64_t now = vmpf_now();
    VMPF_SET(vmpf.head->now, now);
    write_time(now);
}

void vmpf_times_forked(void)
{
    writing = (vmos_lock_t){0, 0};
    forkedat = 0;
}

static void write_due(uint64_t now)
{
    if (vmos_trylock(&writing) != 0)
        return;
    if (now >= vmpf.due)
        write_time(now);
    vmos_unlock(&writing);
}

/* The child of a fork has lived long enough to have a file.  Once it has several threads it is
 * too late, and the file is written at its end. */
static void settle(uint64_t now)
{
    if (forkedat == 0)
        forkedat = now + 1;
    if (now < forkedat + SETTLE || __atomic_load_n(&vmpf.active, __ATOMIC_RELAXED) > 1)
        return;
    if (vmpf.path[0] != '\0' && vmpf_store_file() != 0)
        vmb_fault("profile %s: cannot be written", vmpf.file);
    vmpf.forked = 0;
    forkedat = 0;
}

/* All blocks have counted for long enough: from now on those that are drawn.  Threads that do not
 * know yet record a few more, which count as they always did. */
static VMOS_COLD void turn(uint64_t calls)
{
    Vmpfhead_t *h = vmpf.head;
    vmos_lock(&vmpf.lock);
    if (h->mode == VMPF_FULL) {
        h->period = vmpf_settings.period;
        h->exact = calls;
        VMPF_SET(vmpf_settings.exact, 0); /* children of fork() go on with samples */
        __atomic_store_n(&h->mode, VMPF_SAMPLED, __ATOMIC_RELEASE);
        vmpf_changed();
        __atomic_store_n(&vmpf.turned, 1, __ATOMIC_RELEASE);
    }
    vmos_unlock(&vmpf.lock);
}

static void count_calls(vmpf_book_t *b)
{
    size_t exact = VMPF_GET(vmpf_settings.exact);
    uint64_t more = b->calls - b->told;
    b->told = b->calls;
    if (exact != 0 && __atomic_add_fetch(&vmpf.calls, more, __ATOMIC_RELAXED) >= exact)
        turn(VMPF_GET(vmpf.calls));
}

void vmpf_tick(vmpf_book_t *b)
{
    uint64_t now = vmpf_now();
    int e = errno;
    b->ticks = VMPF_TICK;
    vmpf_flush(b);
    count_calls(b);
    VMPF_SET(vmpf.head->now, now);
    if (VMOS_UNLIKELY(vmpf.forked))
        settle(now);
    if (now >= __atomic_load_n(&vmpf.due, __ATOMIC_RELAXED))
        write_due(now);
    if (VMOS_UNLIKELY(vmpf.nextcopy != 0 && now >= vmpf.nextcopy))
        vmpf_copy_due(now);
    VMPF_SET(b->room, -1); /* what there was most of since the last record may be less now */
    errno = e;
}
