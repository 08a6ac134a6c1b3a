/* SPDX-License-Identifier: MIT */
/*
 * A process dies at each step of each call on a shared region, and the next call finds everything as it
 * was before.
 *
 * All in one process: where a note is about to be made, was made, or a call is about to be done, the
 * test leaves by longjmp() and gives the region's lock to a process that does not live.  Then
 *   - vmdbcheck() (which first undoes what was begun) is clean;
 *   - the same blocks are there, with the same contents, and the same numbers;
 *   - for Vmbest, each byte of bookkeeping is as it was, whether it was noted or not.
 * And at each note: what is noted has not been changed since the call began.
 */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "best.h"
#include "pool.h"

#include <vmalloc/share.h>

#define BLOCKS 300
#define MOST 8192 /* pieces that a walk may meet */

typedef struct piece {
    char *addr;
    size_t size;
    int busy;
} piece_t;

static Vmalloc_t *vm;
static struct {
    char *p;
    size_t size;
    unsigned char fill;
} block[BLOCKS];
static size_t only; /* the one size of blocks, 0: any */

/* ---- a copy of the region ---- */

static char *low, *high;   /* the segment */
static unsigned char *copy, *care, *noted; /* as it was; whether a byte must be so again; was noted */
static void *words[4096], *wordsnow[4096];
static size_t nwords;
static Vmstat_t was;
static piece_t pieces[2][MOST];
static size_t npieces[2];

static int addpiece(Vmalloc_t *r, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    int which = *(int *)handle;

    (void)r;
    assert_true(npieces[which] < MOST);
    pieces[which][npieces[which]++] = (piece_t){addr, size, busy};
    return 0;
}

static void list(int which)
{
    npieces[which] = 0;
    assert_true(vmblkwalk(vm, addpiece, &which) >= 0);
}

/* The pages of free runs and of blocks hold no bookkeeping. */
static void careless(const char *from, const char *to)
{
    memset(care + (from - low), 0, (size_t)(to - from));
}

static void careful(void)
{
    vmbe_t *be = vmbe_of(vm);
    vmbe_area_t *a;
    vmbe_small_t *s;
    char *p;

    memset(care, vm->meth.meth == VM_MTBEST, (size_t)(high - low));
    if (vm->meth.meth != VM_MTBEST)
        return;
    careless((char *)be->log, (char *)(be->log + 1));
    careless((char *)&be->vm, (char *)(&be->vm + 1));
    careless((char *)&vm->data->lock, (char *)(&vm->data->lock + 1));
    careless((char *)&vm->data->vm, (char *)(&vm->data->vm + 1));
    for (a = be->areas; a != NULL; a = a->next) {
        for (p = a->first; p < a->last;) {
            vmbe_run_t *run = vmbe_run_of(be, p);
            if (run->kind == BE_FREE || run->kind == BE_SLAB || run->kind == BE_LARGE)
                careless(p, p + vmbe_runbytes(run));
            p += vmbe_runbytes(run);
        }
        careless(a->last, a->seg->end);
    }
    for (s = be->smalls; s != NULL; s = s->next)
        careless(s->base, s->base + (size_t)s->n * 16);
}

static void takewords(void **to)
{
    size_t i;

    nwords = (size_t)(high - low) >> VMB_PAGESHIFT;
    for (i = 0; i < nwords; i++)
        to[i] = vmb_map_get(low + (i << VMB_PAGESHIFT));
}

static void takecopy(void)
{
    Vmseg_t *seg = vmmtsegs(vm);

    low = seg->addr;
    high = low + seg->extent;
    assert_true((size_t)(high - low) < (size_t)4096 << VMB_PAGESHIFT);
    memcpy(copy, low, (size_t)(high - low));
    memset(noted, 0, (size_t)(high - low));
    careful();
    takewords(words);
    assert_int_equal(vmstat(vm, &was), 0);
    list(0);
}

static void samebytes(void)
{
    size_t i, n = (size_t)(high - low);

    for (i = 0; i < n; i++)
        if (care[i] && copy[i] != (unsigned char)low[i])
            fail_msg("byte %zu of the segment is not as it was", i);
    takewords(wordsnow);
    assert_memory_equal(words, wordsnow, nwords * sizeof(void *));
}

static void sameblocks(void)
{
    int i;
    size_t k;

    for (i = 0; i < BLOCKS; i++)
        for (k = 0; block[i].p != NULL && k < block[i].size; k++)
            if ((unsigned char)block[i].p[k] != block[i].fill)
                fail_msg("byte %zu of block %d was changed", k, i);
}

static void asbefore(void)
{
    Vmstat_t now;

    assert_int_equal(vmdbcheck(vm), 0);
    if (vm->meth.meth == VM_MTBEST)
        samebytes();
    assert_int_equal(vmstat(vm, &now), 0);
    assert_int_equal(now.n_busy, was.n_busy);
    assert_int_equal(now.s_busy, was.s_busy);
    assert_int_equal(now.n_free, was.n_free);
    assert_int_equal(now.s_free, was.s_free);
    assert_int_equal(now.extent, was.extent);
    list(1);
    assert_int_equal(npieces[0], npieces[1]);
    assert_memory_equal(pieces[0], pieces[1], npieces[0] * sizeof(piece_t));
    sameblocks();
}

/* ---- dying ---- */

static sigjmp_buf death;
static int watching, countdown, steps;

/* For Vmlast, what lies behind the last block is nothing yet. */
static void unchanged(const char *p, size_t n)
{
    size_t i, at;

    for (i = 0; i < n; i++) {
        if (p + i < low || p + i >= high || vm->meth.meth == VM_MTLAST)
            continue;
        at = (size_t)(p + i - low);
        if (!noted[at] && care[at] && copy[at] != (unsigned char)p[i])
            fail_msg("byte %zu was changed before it was noted", at);
        noted[at] = 1;
    }
}

static void onstep(int step, const void *p, size_t n)
{
    if (!watching || step == VMR_ONLOCK || step == VMR_ONUNDO || (step == VMR_ONDONE && p != NULL))
        return;
    if (step == VMR_ONNOTE)
        unchanged(p, n);
    steps++;
    if (countdown-- == 0)
        siglongjmp(death, 1);
}

/* The process that held the lock is no more. */
static void bury(void)
{
    vmr_peer_t *peer = vmr_peer(vm);

    peer->holder = 0;
    peer->depth = 0;
    vm->data->lock.word = 1u << 8 | 200u;
}

/* ---- calls ---- */

typedef struct call {
    int what, i, type;
    size_t size, align;
    void *got;
    int done;
} call_t;

static void docall(call_t *c)
{
    char *p = block[c->i].p;

    switch (c->what) {
    case 0:
        c->got = vmalloc(vm, c->size);
        break;
    case 1:
        c->got = vmalign(vm, c->size, c->align);
        break;
    case 2:
        c->done = vmfree(vm, p);
        break;
    case 3:
        c->got = vmresize(vm, p, c->size, c->type);
        break;
    case 4:
        c->done = vmcompact(vm);
        break;
    default:
        c->got = vmuserdata(vm, (unsigned)c->i, (ssize_t)c->size);
    }
}

static void fillblock(int i, void *p, size_t size)
{
    block[i].p = p;
    block[i].size = size;
    block[i].fill = (unsigned char)(i * 7 + 1);
    if (p != NULL)
        memset(p, block[i].fill, size);
}

static void settle(const call_t *c)
{
    if (c->what == 2 && c->done == 0)
        block[c->i].p = NULL;
    else if ((c->what == 0 || c->what == 1 || c->what == 3) && c->got != NULL)
        fillblock(c->i, c->got, c->size);
}

static size_t randomsize(void)
{
    static const size_t up[] = {40, 300, 3000, 30000, 100000};

    return only != 0 ? only : 1 + (size_t)rand() % up[rand() % 5];
}

static call_t randomcall(void)
{
    call_t c = {.i = rand() % BLOCKS, .size = randomsize(), .align = (size_t)16 << rand() % 9};
    int r = rand() % 100;

    c.type = (rand() % 2) * VM_RSZERO;
    if (r < 3)
        c.what = 4;
    else if (r < 5)
        c.what = 5;
    else if (block[c.i].p == NULL)
        c.what = r < 20 && only == 0;
    else
        c.what = r < 30 ? 3 : 2;
    return c;
}

/* A call that dies after one step more each time, until it does not die. */
static void die(call_t *c)
{
    volatile int at;

    for (at = 0;; at++) {
        takecopy();
        countdown = at;
        if (sigsetjmp(death, 0) == 0) {
            watching = 1;
            docall(c);
            watching = 0;
            break;
        }
        watching = 0;
        bury();
        /* a chain of short calls keeps what was done */
        if (c->what == 4)
            assert_int_equal(vmdbcheck(vm), 0);
        else
            asbefore();
    }
    settle(c);
    assert_int_equal(vmdbcheck(vm), 0);
}

static void run(Vmethod_t *meth, size_t size, int calls, unsigned seed)
{
    Vmshare_t opt = {.flags = VM_SHFD, .meth = meth, .limit = 1 << 24};
    int i;

    copy = malloc((size_t)4096 << VMB_PAGESHIFT);
    care = malloc((size_t)4096 << VMB_PAGESHIFT);
    noted = malloc((size_t)4096 << VMB_PAGESHIFT);
    opt.fd = memfd_create("steps", MFD_CLOEXEC);
    vm = vmmshare(NULL, &opt);
    assert_non_null(vm);
    memset(block, 0, sizeof block);
    only = size;
    srand(seed);
    steps = 0;
    vmr_onstep = onstep;
    for (i = 0; i < calls; i++) {
        call_t c = randomcall();
        die(&c);
    }
    vmr_onstep = NULL;
    sameblocks();
    print_message("died at %d steps of %d calls\n", steps, calls);
    assert_true(steps > calls);
    assert_int_equal(vmclose(vm), 0);
    close(opt.fd);
    free(copy);
    free(care);
    free(noted);
}

static void best(void **state)
{
    (void)state;
    run(Vmbest, 0, 120, 1);
    run(Vmbest, 0, 80, 2);
    run(Vmbest, 3000, 100, 3);
}

static void last(void **state)
{
    (void)state;
    run(Vmlast, 0, 300, 1);
}

static void pool(void **state)
{
    (void)state;
    run(Vmpool, 40, 250, 1);
    run(Vmpool, 3000, 250, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best),
        cmocka_unit_test(last),
        cmocka_unit_test(pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
