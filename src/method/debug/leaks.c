/* SPDX-License-Identifier: MIT */
/*
 * leaks: which live blocks nobody can reach.
 *
 *   roots --> block --> block        marked REACHABLE, or POSSIBLY when a pointer on the way leads to the
 *                                    middle of a block
 *   unmarked block --> block         LOST, and INDIRECT
 *
 * A conservative mark, as that of garbage collectors (Boehm and Weiser, 1988): each aligned word that
 * is an address in a block counts as a pointer to it.  The kinds are those of Valgrind's memcheck.
 * Pointers to the first element of an array of new[] with a count before it lead to its start.
 *
 * All other threads stand still meanwhile.  A block is looked into at most twice in the first part, once
 * in the second, so the cost is that of reading roots and live blocks, and of a look-up for each word
 * that may be an address.  Memory: 48 bytes for a live block, mapped for the scan.
 */
#include "leaks.h"
#include "books.h"
#include "os_debug.h"
#include "os_stack.h"

#include <string.h>

#define MILLIS 3000u
#define MOSTTHREADS 1024
#define LARGE ((size_t)256 << 10) /* blocks that may be partly untouched */

/* ---- the live blocks ---- */

static void sift(vmdg_found_t *b, size_t i, size_t n)
{
    vmdg_found_t x = b[i];
    for (size_t k; (k = 2 * i + 1) < n; i = k) {
        if (k + 1 < n && b[k + 1].addr > b[k].addr)
            k++;
        if (b[k].addr <= x.addr)
            break;
        b[i] = b[k];
    }
    b[i] = x;
}

/* Heapsort (Williams, 1964): in place, never slow. */
static void sort(vmdg_found_t *b, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift(b, i, n);
    while (n-- > 1) {
        vmdg_found_t x = b[0];
        b[0] = b[n];
        b[n] = x;
        sift(b, 0, n);
    }
}

/* At the end, what is in a region that the program opened goes with it. */
static void collect(vmdg_scan_t *s, vmdg_when_t when)
{
    uint32_t ids = vmdg_ids();
    size_t most = s->mapped / sizeof *s->block;
    uint64_t forkop = vmdg_forkop();
    for (uint32_t id = 1; id < ids && s->n < most; id++) {
        const vmdg_desc_t *d = vmdg_desc(id);
        uint64_t what = vmdg_what(d);
        if (vmdg_stateof(what) != VMDG_LIVE)
            continue;
        s->block[s->n++] = (vmdg_found_t){.addr = (uintptr_t)vmdg_addr(d), .size = vmdg_sizeof(what),
                                          .id = id, .alloc = d->alloc, .region = vmdg_regionof(d),
                                          .family = (uint8_t)vmdg_familyof(what),
                                          .own = forkop == 0 ||
                                                 (int32_t)(d->op - (uint32_t)forkop) > 0};
        if (when == VMDG_ATEXIT && vmdg_familyof(what) == VMDG_VM)
            s->block[s->n - 1].own = 0;
    }
    sort(s->block, s->n);
    if (s->n != 0) {
        s->low = s->block[0].addr;
        s->high = s->block[s->n - 1].addr + s->block[s->n - 1].size;
    }
}

/* Other threads may allocate until they stand still. */
static int room(vmdg_scan_t *s)
{
    size_t most = (size_t)vmdg_ids() * 2 + 4096;
    s->mapped = VMB_UP(most * sizeof *s->block, vmos_pagesize());
    s->block = vmos_map(NULL, s->mapped, VMOS_RESERVE);
    return s->block != NULL ? 0 : -1;
}

/* The block that holds the address, and whether that counts as its start; -1: none. */
static long find(const vmdg_scan_t *s, uintptr_t a, int *start)
{
    size_t low = 0, high = s->n;
    const vmdg_found_t *b;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->block[mid].addr <= a)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0)
        return -1;
    b = &s->block[low - 1];
    *start = a == b->addr || (b->family == VMDG_ARRAY && a == b->addr + sizeof(size_t));
    return a < b->addr + b->size || a == b->addr ? (long)(low - 1) : -1;
}

/* ---- marking ---- */

static void enlist(vmdg_scan_t *s, size_t i)
{
    vmdg_found_t *b = &s->block[i];
    if (b->waits)
        return;
    b->waits = 1;
    b->next = s->todo;
    s->todo = (uint32_t)i + 1;
}

void vmdg_leaks_word(vmdg_scan_t *s, uintptr_t word, vmdg_reach_t reach)
{
    int start;
    long i;
    if (word < s->low || word >= s->high || (i = find(s, word, &start)) < 0)
        return;
    if (reach == VMDG_REACHABLE && !start)
        reach = VMDG_POSSIBLY;
    if (s->block[i].reach >= reach)
        return;
    s->block[i].reach = (uint8_t)reach;
    enlist(s, (size_t)i);
}

static VMOS_UNCHECKED void words(vmdg_scan_t *s, const uintptr_t *w, size_t n, vmdg_reach_t reach)
{
    for (size_t i = 0; i < n; i++)
        if (w[i] >= s->low && w[i] < s->high)
            vmdg_leaks_word(s, w[i], reach);
}

/* Through a buffer, since it may not be there, or not be readable. */
static void peeked(vmdg_scan_t *s, const char *from, const char *end, vmdg_reach_t reach)
{
    uintptr_t buf[1024];
    while (from < end) {
        size_t want = VMB_MIN((size_t)(end - from), sizeof buf), n = vmos_peek(from, buf, want);
        words(s, buf, n / sizeof *buf, reach);
        from += want;
    }
}

/* Pages never touched are left out. */
void vmdg_leaks_words(vmdg_scan_t *s, const char *from, const char *end, vmdg_reach_t reach)
{
    size_t page = vmos_kernelpage();
    from = (const char *)VMB_UP(from, sizeof(uintptr_t));
    while (from < end) {
        const char *base = (const char *)VMB_DOWN(from, page);
        uint64_t which[8];
        vmos_touched(base, VMB_MIN(((size_t)(end - base) + page - 1) / page, (size_t)512), which);
        for (size_t i = 0; i < 512 && from < end; i++) {
            const char *stop = base + (i + 1) * page;
            stop = VMB_MIN(stop, end);
            if (vmb_bit(which, i))
                peeked(s, from, stop, reach);
            from = stop;
        }
    }
}

/* Of a block with whole pages, from which the program may have taken access: the end of a stack of its own. */
static void pages(vmdg_scan_t *s, const char *from, const char *end, vmdg_reach_t reach)
{
    size_t page = vmos_kernelpage();
    while (from < end) {
        const char *stop = (const char *)VMB_DOWN(from, page) + page;
        stop = VMB_MIN(stop, end);
        peeked(s, from, stop, reach);
        from = stop;
    }
}

/* What is reached from block i. */
static void lookinto(vmdg_scan_t *s, size_t i, vmdg_reach_t reach)
{
    const vmdg_found_t *b = &s->block[i];
    const char *from = (const char *)VMB_UP(b->addr, sizeof(uintptr_t));
    const char *end = (const char *)b->addr + b->size;
    if (from >= end)
        return;
    if (s->careful || b->size > LARGE)
        vmdg_leaks_words(s, from, end, reach);
    else if (b->size >= vmos_kernelpage())
        pages(s, from, end, reach);
    else
        words(s, (const uintptr_t *)from, (size_t)(end - from) / sizeof(uintptr_t), reach);
}

static void spread(vmdg_scan_t *s)
{
    while (s->todo != 0) {
        size_t i = s->todo - 1;
        s->todo = s->block[i].next;
        s->block[i].waits = 0;
        lookinto(s, i, (vmdg_reach_t)s->block[i].reach);
    }
}

/* ---- the lost ones ---- */

#define NOBODY UINT32_MAX

/* What block `leader` leads to is lost with it.  A block that was found before as lost by itself, and
 * lies on the way, is lost indirectly after all: its followers are reached again through it. */
static void follow(vmdg_scan_t *s, uint32_t leader)
{
    s->block[leader].reach = VMDG_INDIRECT; /* so that a circle ends here */
    enlist(s, leader);
    while (s->todo != 0) {
        size_t i = s->todo - 1;
        s->todo = s->block[i].next;
        s->block[i].waits = 0;
        s->block[i].leader = leader;
        lookinto(s, i, VMDG_INDIRECT);
    }
    s->block[leader].reach = VMDG_LOST;
}

/* The leader of a leader that turned out to be no leader. */
static uint32_t leaderof(const vmdg_scan_t *s, uint32_t i)
{
    while (s->block[i].leader != i && s->block[i].leader != NOBODY)
        i = s->block[i].leader;
    return i;
}

static void judge(vmdg_scan_t *s)
{
    for (size_t i = 0; i < s->n; i++)
        s->block[i].leader = NOBODY;
    for (size_t i = 0; i < s->n; i++)
        if (s->block[i].reach == VMDG_LOST)
            follow(s, (uint32_t)i);
    for (size_t i = 0; i < s->n; i++)
        if (s->block[i].reach <= VMDG_INDIRECT)
            s->block[i].leader = leaderof(s, (uint32_t)i);
}

/* ---- all of it ---- */

static vmos_stopped_t threads[MOSTTHREADS];

static void scan(vmdg_scan_t *s, vmdg_when_t when)
{
    long n = vmos_world_stop(threads, MOSTTHREADS, MILLIS);
    for (long i = 0; i < n; i++)
        s->unanswered += threads[i].sp == 0;
    s->careful = n < 0 || s->unanswered != 0;
    collect(s, when);
    vmdg_leaks_roots(s, threads, n > 0 ? (size_t)n : 0);
    spread(s);
    judge(s);
    if (n != 0)
        vmos_world_go();
}

long vmdg_leaks(uint32_t region, vmdg_when_t when, uintptr_t sp)
{
    vmdg_scan_t s = {.sp = sp};
    long lost;
    if (vmdg_report_enter() != 0)
        return -1;
    vmdg_self.inside++;
    if (room(&s) == 0) {
        scan(&s, when);
        lost = (long)vmdg_leaks_tell(&s, region, when);
        vmos_unmap(s.block, s.mapped);
    } else {
        lost = -1;
    }
    vmdg_self.inside--;
    vmdg_report_leave();
    if (lost > 0 && when == VMDG_ATEXIT)
        vmdg_count((uint64_t)lost);
    return lost;
}
