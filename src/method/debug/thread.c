/* SPDX-License-Identifier: MIT */
/*
 * thread: numbers for threads and for operations.
 *
 * A thread takes numbers of operations 64 at a time as soon as there is a second one: then numbers
 * of two threads tell their order only roughly.  As long as there is one thread they are exact, and
 * the same in every run of a program that does the same.
 */
#include "books.h"
#include "os_debug.h"

#include <errno.h>
#include <string.h>

#define BATCH 64
#define NTHREADS 65535 /* what a descriptor has room for; later ones count as the last */
#define NNOTED 4096

__thread vmdg_self_t vmdg_self;

uint32_t vmdg_nthreads;
uint64_t vmdg_lastop;
static uint64_t forkop;
static struct {
    uint32_t tid;
    uintptr_t sp, self;
    char name[16]; /* when it ended */
} noted[NNOTED];

static VMOS_COLD uint32_t number(void)
{
    uint32_t n = __atomic_fetch_add(&vmdg_nthreads, 1, __ATOMIC_RELAXED);
    n = VMB_MIN(n, NTHREADS);
    vmdg_self.number = n + 1;
    vmdg_self.random = vmos_random();
    if (n < NNOTED) {
        noted[n].tid = (uint32_t)vmos_tid();
        noted[n].sp = (uintptr_t)__builtin_frame_address(0);
        noted[n].self = vmos_self();
    }
    vmos_watchthread(); /* one that only frees has no lane of Vmbest, which would do it */
    return n;
}

int vmdg_isstack(uintptr_t low, uintptr_t high)
{
    uint32_t n = VMB_MIN(vmdg_threads(), NNOTED), i;
    for (i = 0; i < n && (noted[i].sp < low || noted[i].sp >= high); i++)
        continue;
    return i < n;
}

uintptr_t vmdg_thread_stack(uint32_t thread, uintptr_t *self)
{
    if (thread >= VMB_MIN(vmdg_threads(), NNOTED))
        return 0;
    *self = noted[thread].self;
    return noted[thread].sp;
}

uint32_t vmdg_thisthread(void)
{
    return vmdg_self.number != 0 ? vmdg_self.number - 1 : number();
}

void vmdg_thread(uint32_t thread, vmdg_thread_t *t)
{
    int keep = errno;
    memset(t, 0, sizeof *t);
    if (thread < NNOTED) {
        t->tid = (long)noted[thread].tid;
        memcpy(t->name, noted[thread].name, sizeof t->name);
        if (t->name[0] == '\0')
            vmos_threadname(t->tid, t->name, sizeof t->name);
    }
    errno = keep;
}

/* The calling thread is about to end. */
void vmdg_thread_ends(void)
{
    uint32_t n = vmdg_self.number;
    if (n != 0 && n - 1 < NNOTED && noted[n - 1].name[0] == '\0')
        vmos_threadname((long)noted[n - 1].tid, noted[n - 1].name, sizeof noted[0].name);
}

/* The child of a fork has one thread, under a new number of the system.  Numbers that it took in advance
 * are left out, so that what it does is told by them from what its parent did. */
void vmdg_thread_forked(void)
{
    uint32_t n = vmdg_thisthread();
    if (n < NNOTED)
        noted[n].tid = (uint32_t)vmos_tid();
    vmdg_self.last = vmdg_self.op;
    forkop = vmdg_now();
}

uint64_t vmdg_forkop(void)
{
    return forkop;
}

uint64_t vmdg_op_more(void)
{
    vmdg_self_t *me = &vmdg_self;
    vmdg_thisthread();
    if (vmdg_threads() <= 1)
        return vmdg_op();
    me->op = __atomic_fetch_add(&vmdg_lastop, BATCH, __ATOMIC_RELAXED);
    me->last = me->op + BATCH;
    return ++me->op;
}
