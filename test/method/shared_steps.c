/* SPDX-License-Identifier: MIT */
/*
 * A process dies at each step of each call on a shared region, and the next call finds everything as it
 * was before.
 *
 * All in one process: where a note is about to be made, was made, or a call is about to be done, the
 * test leaves by longjmp() and gives the region's lock to a process that does not live.  Then
 *   - vmdbcheck() (which first undoes what was begun) is clean;
 *   - the same blocks are there, with the same contents, and the same numbers;
 *   - for Vmbest and Vmlast, each byte of bookkeeping is as it was, whether it was noted or not.
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
#include "last.h"

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
static size_t only, least, most; /* sizes of blocks: the one, or from least to most; 0: any */
static int nblocks;

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

static void bestcare(void)
{
    vmbe_t *be = vmbe_of(vm);
    vmbe_area_t *a;
    vmbe_small_t *s;
    char *p;

    memset(care, 1, (size_t)(high - low));
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

static void cares(const void *p, size_t n)
{
    memset(care + ((const char *)p - low), 1, n);
}

/* All is in the state, the part's head and the map: behind the last block the map is 0, as far as the
 * cursor may go, and within what is BIG it is nothing. */
static void lastcare(void)
{
    vmla_t *st = vmr_state(vm);
    vmla_part_t *part = st->cur;
    char *p = part->base, *end;

    cares(st, sizeof *st);
    cares(part, sizeof *part);
    for (; p < st->next; p = end) {
        unsigned char *code = vmla_code(st->map, p);
        end = vmla_endof(part, p, st->next);
        if (*code & VMLA_ISBIG)
            cares(vmla_bigof(st->map, p), sizeof(vmla_big_t));
        cares(code, *code & VMLA_ISBIG ? 1 : (size_t)(end - p) / VM_ALIGN);
    }
    cares(vmla_code(st->map, p), (size_t)(st->end - p) / VM_ALIGN);
}

static void careful(void)
{
    memset(care, 0, (size_t)(high - low));
    if (vm->meth.meth == VM_MTBEST)
        bestcare();
    else if (vm->meth.meth == VM_MTLAST)
        lastcare();
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
    size_t i, k, n = (size_t)(high - low);

    for (i = 0; i < n; i += 64)
        for (k = i; memcmp(copy + i, low + i, 64) != 0 && k < i + 64; k++)
            if (care[k] && copy[k] != (unsigned char)low[k])
                fail_msg("byte %zu of the segment is not as it was", k);
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

/* Of a region with many blocks Vmlast moves its map in a short call of its own. */
static int grew(void)
{
    return vm->meth.meth == VM_MTLAST && was.s_busy > 64 * 1024 && vmmtsegs(vm)->extent != was.extent;
}

static void inorder(void)
{
    Vmstat_t now;

    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmstat(vm, &now), 0);
    assert_int_equal(now.n_busy, was.n_busy);
    assert_int_equal(now.s_busy, was.s_busy);
    sameblocks();
}

/* ---- dying ---- */

static sigjmp_buf death;
static int watching, countdown, steps;

static void unchanged(const char *p, size_t n)
{
    size_t i, at;

    for (i = 0; i < n; i++) {
        if (p + i < low || p + i >= high)
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

    if (most != 0)
        return least + (size_t)rand() % (most - least);
    return only != 0 ? only : 1 + (size_t)rand() % up[rand() % 5];
}

static call_t randomcall(void)
{
    call_t c = {.i = rand() % nblocks, .size = randomsize(), .align = (size_t)16 << rand() % 9};
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

/* Slabs without blocks in use, for vmcompact() to give back. */
static void makeempty(void)
{
    size_t size;

    for (size = 20; size < 4000 && only == 0; size *= 2)
        assert_int_equal(vmfree(vm, vmalloc(vm, size)), 0);
}

/* A call that dies after one step more each time, until it does not die. */
static void die(call_t *c)
{
    volatile int at;

    for (at = 0;; at++) {
        if (c->what == 4 && vm->meth.meth == VM_MTBEST)
            makeempty();
        takecopy();
        countdown = at;
        if (at > 400)
            fail_msg("there is no end to it");
        if (sigsetjmp(death, 0) == 0) {
            watching = 1;
            docall(c);
            watching = 0;
            break;
        }
        watching = 0;
        bury();
        /* a chain of short calls keeps what was done */
        if (c->what == 4 || grew())
            inorder();
        else
            asbefore();
    }
    settle(c);
    assert_int_equal(vmdbcheck(vm), 0);
}

static void run(Vmethod_t *meth, size_t size, int blocks, int calls)
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
    nblocks = blocks;
    srand(1);
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

/* Sanitizers take twenty times as long for the copies. */
#if defined(__SANITIZE_THREAD__)
#define FEWER 30
#elif defined(__SANITIZE_ADDRESS__)
#define FEWER 6
#else
#define FEWER 1
#endif

static void best(void **state)
{
    (void)state;
    run(Vmbest, 0, BLOCKS, 120 / FEWER);
    run(Vmbest, 3000, BLOCKS, 100 / FEWER);
}

static void between(size_t from, size_t to, int blocks, int calls)
{
    least = from;
    most = to;
    run(Vmbest, 0, blocks, calls);
    most = 0;
}

/* Only granules; runs of pages, free ones between them; few large blocks, which often are the last. */
static void best_in_parts(void **state)
{
    (void)state;
    between(1, 400, 20, 150 / FEWER);
    between(4000, 80000, 100, 100 / FEWER);
    between(40000, 900000, 2, 60 / FEWER);
}

static void last(void **state)
{
    (void)state;
    run(Vmlast, 0, BLOCKS, 300 / FEWER);
    run(Vmlast, 0, 2, 300 / FEWER); /* mostly the last block */
}

static void pool(void **state)
{
    (void)state;
    run(Vmpool, 40, BLOCKS, 250 / FEWER);
    run(Vmpool, 3000, BLOCKS, 250 / FEWER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best),
        cmocka_unit_test(best_in_parts),
        cmocka_unit_test(last),
        cmocka_unit_test(pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
