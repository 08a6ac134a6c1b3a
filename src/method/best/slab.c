/* SPDX-License-Identifier: MIT */
/*
 * slab: blocks of one class, and how they come back.
 *
 * A thread frees into its own slabs by setting bits (fast.h).  Into another thread's slab:
 *   1. fetch_or the bit into remote[w]; if the word had no block's bit before, then
 *   2. store 0 into quick, so that the owner's next free() looks at remote[] as well;
 *   3. fetch_or (1 << w | BE_QUEUED) into rsum; if BE_QUEUED was not set before, then
 *   4. push the slab on its lane's pending list.
 * The owner collects only words that rsum names, and takes the name away before it takes the word.
 * So a word with a block's bit is always named, or about to be by the thread that made it so; a thread
 * does not touch the slab after its last step; and a slab goes back only with rsum 0, when nobody
 * is between two steps.  One push serves all blocks freed until the owner looks: batches without
 * locks (cf. the message queues of snmalloc, Lietar et al., ISMM 2019).
 */
#include "best.h"

#define VISITS 8   /* lanes looked at before new memory is taken */
#define ENOUGH 8   /* one part in so many of a slab is to be free before it is allocated from again */
#define STAYS 64   /* times that a slab is gone through for fewer before another one is made */
#define TURNS 16   /* slabs between two looks for pages that are due to go back */
#define NAP 50     /* ms in which a thread goes through no slab and counts as asleep */
#define NEVER UINT16_MAX /* so many frees into the current slab: then the number is set anew */

int vmbe_isempty(const vmbe_run_t *run)
{
    unsigned w;
    for (w = 0; w < vmbe_words(run); w++)
        if ((BE_LOAD(run->u.word[w]) | vmbe_invalid(run, w)) != ~(uint64_t)0)
            return 0;
    return __atomic_load_n(&run->rsum, __ATOMIC_ACQUIRE) == 0;
}

int vmbe_isfull(const vmbe_run_t *run)
{
    uint64_t any = 0;
    unsigned w;
    for (w = 0; w < vmbe_words(run); w++)
        any |= BE_LOAD(run->u.word[w]);
    return any == 0;
}

unsigned vmbe_slab_live(const vmbe_run_t *run)
{
    unsigned w, n = vmbe_capacity(run);
    for (w = 0; w < vmbe_words(run); w++) {
        uint64_t other = BE_LOAD(run->remote[w]) & ~vmbe_invalid(run, w);
        n -= (unsigned)vmb_pop(BE_LOAD(run->u.word[w]) | other);
    }
    return n;
}

/* Take in the words that `sum` names. */
static void collect(vmbe_run_t *run, unsigned sum)
{
    vmbe_lane_t *lane = vmbe_lane(BE_LOAD(run->lane));
    unsigned n = 0;
    for (sum &= BE_NAMES; sum; sum &= sum - 1) {
        int w = vmb_ctz(sum);
        uint64_t no = vmbe_invalid(run, (unsigned)w);
        uint64_t more = __atomic_exchange_n(&run->remote[w], no, __ATOMIC_ACQ_REL);
        BE_STORE(run->u.word[w], BE_LOAD(run->u.word[w]) | (more & ~no));
        n += (unsigned)vmb_pop(more & ~no);
    }
    if (VMOS_UNLIKELY(lane->meter != NULL))
        vmbe_meter_gain(lane, run, n);
}

/* The owner is about to take in what others freed.  First of all: who names a word after that marks the
 * slab again. */
static void quicken(vmbe_run_t *run)
{
    __atomic_exchange_n(&run->quick, vmbe_classrecip[run->cls], __ATOMIC_SEQ_CST);
}

int vmbe_collect(vmbe_run_t *run)
{
    if (BE_LOAD(run->quick) == 0)
        quicken(run);
    if (__atomic_load_n(&run->rsum, __ATOMIC_RELAXED) & BE_NAMES)
        collect(run, __atomic_fetch_and(&run->rsum, BE_QUEUED, __ATOMIC_ACQ_REL));
    return !vmbe_isfull(run);
}

/* On a lane's pending list. */
static void push(vmbe_lane_t *lane, vmbe_run_t *run)
{
    vmbe_run_t *head = BE_LOAD(lane->pending);
    do
        BE_STORE(run->pend, head);
    while (!__atomic_compare_exchange_n(&lane->pending, &head, run, 1, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED));
}

int vmbe_remote_free(vmbe_run_t *run, unsigned i)
{
    unsigned w = i >> 6;
    uint64_t bit = (uint64_t)1 << (i & 63), none = vmbe_invalid(run, w), old;
    if (BE_LOAD(run->u.word[w]) & bit)
        return -1;
    old = __atomic_fetch_or(&run->remote[w], bit, __ATOMIC_ACQ_REL);
    if (old & bit)
        return -1;
    if (old != none) /* that was the last step: the slab may be gone by now */
        return 0;
    BE_STORE(run->quick, 0);
    if (!(__atomic_fetch_or(&run->rsum, (uint8_t)(1u << w | BE_QUEUED), __ATOMIC_ACQ_REL) &
          BE_QUEUED))
        push(vmbe_lane(BE_SEE(run->lane)), run);
    return 0;
}

/* ---- lists of a lane ---- */

/* Free blocks that a slab must have before it is allocated from again: where blocks are freed all over
 * the place each slab would else be full again after one or two. */
static unsigned enough(const vmbe_run_t *run) { return 1 + run->last / ENOUGH; }

/* Free blocks that the lane knows of. */
static unsigned freeof(const vmbe_run_t *run)
{
    unsigned w, n = 0;
    for (w = 0; w < vmbe_words(run); w++)
        n += (unsigned)vmb_pop(BE_LOAD(run->u.word[w]));
    return n;
}

static vmbe_run_t **headof(vmbe_lane_t *lane, const vmbe_run_t *run)
{
    return run->waits ? &lane->few[run->cls] : &lane->cur[run->cls].avail;
}

/* On the list that its free blocks call for.  Those that other threads freed count once they are
 * collected. */
static void link_slab(vmbe_lane_t *lane, vmbe_run_t *run)
{
    unsigned nfree = freeof(run);
    vmbe_run_t **head;
    run->waits = nfree < enough(run);
    run->left = (uint16_t)((run->waits ? enough(run) : vmbe_capacity(run)) - nfree);
    head = headof(lane, run);
    run->prev = NULL;
    run->next = *head;
    if (*head)
        (*head)->prev = run;
    *head = run;
}

static void unlink_slab(vmbe_lane_t *lane, vmbe_run_t *run)
{
    *(run->prev ? &run->prev->next : headof(lane, run)) = run->next;
    if (run->next)
        run->next->prev = run->prev;
    run->prev = run->next = NULL;
    if (run->kept) {
        run->kept = 0;
        lane->kept -= run->npages;
    }
}

/* The first of a list, taken off it. */
static vmbe_run_t *pop_slab(vmbe_lane_t *lane, vmbe_run_t *run)
{
    if (run)
        unlink_slab(lane, run);
    return run;
}

/* A full slab is the lane's alone from now on: 0; -1: another lane was first to take it over. */
static int untag(vmbe_lane_t *lane, vmbe_run_t *run)
{
    uintptr_t full = (uintptr_t)lane | BE_FULL;
    return __atomic_compare_exchange_n(&run->lane, &full, (uintptr_t)lane, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED)
               ? 0
               : -1;
}

void vmbe_slab_place(vmbe_lane_t *lane, vmbe_run_t *run)
{
    if (!vmbe_isfull(run) && untag(lane, run) == 0)
        link_slab(lane, run);
}

void vmbe_slab_give(vmbe_lane_t *lane, vmbe_run_t *run)
{
    vmbe_t *be = lane->be;
    size_t cap = vmbe_capacity(run);
    lane->order[run->cls] -= lane->order[run->cls] > 0;
    be->slabblocks -= cap;
    be->slabbytes -= cap * vmbe_blocksize(run);
    vmbe_run_give(be, run);
}

/* A listed slab may have no block in use: keep it, or give it back. */
static void settle(vmbe_lane_t *lane, vmbe_run_t *run, int locked)
{
    if (run->kept || !vmbe_isempty(run))
        return;
    if (lane->kept + run->npages <= BE_KEEPMAX(run->cls)) {
        run->kept = 1;
        lane->kept += run->npages;
        return;
    }
    unlink_slab(lane, run);
    if (!locked)
        vmr_lock(lane->vm);
    vmbe_slab_give(lane, run);
    if (!locked)
        vmr_unlock(lane->vm);
}

/* The free blocks of a slab that is on a list have become more. */
static void relink(vmbe_lane_t *lane, vmbe_run_t *run, int locked)
{
    unlink_slab(lane, run);
    link_slab(lane, run);
    settle(lane, run, locked);
}

void vmbe_slab_notice(vmbe_lane_t *lane, vmbe_run_t *run)
{
    uint32_t was = vmbe_lane_enter(lane);
    int current = vmbe_current(&lane->cur[run->cls]) == run;
    if (current && lane->meter != NULL)
        vmbe_meter_look(lane, run->cls);
    vmbe_collect(run);
    if (!current)
        relink(lane, run, 0);
    else if (lane->meter != NULL)
        vmbe_meter_arm(lane, run->cls);
    else
        run->left = NEVER;
    vmbe_lane_leave(lane, was);
}

/* The block's bit is set; what others freed is taken in, so that the next free() is quick. */
static void own_free(vmbe_lane_t *lane, vmbe_run_t *run, unsigned i, int wasfull)
{
    uint64_t *word = &run->u.word[i >> 6];
    vmbe_collect(run);
    BE_STORE(*word, BE_LOAD(*word) | (uint64_t)1 << (i & 63));
    if (VMOS_UNLIKELY(lane->meter != NULL))
        vmbe_meter_gain(lane, run, 1);
    if (wasfull) {
        link_slab(lane, run);
        settle(lane, run, 0);
    } else if (vmbe_current(&lane->cur[run->cls]) != run) {
        relink(lane, run, 0);
    }
}

/* Whose the slab is is read once: one that was full may have become another lane's since the caller looked, and
 * then its words and lists are not this thread's to write, full or not. */
int vmbe_slab_free(vmbe_lane_t *lane, vmbe_run_t *run, unsigned i)
{
    uintptr_t whose = BE_SEE(run->lane);
    int full = (whose & BE_FULL) != 0, mine;
    uint32_t was;
    if (vmbe_lane(whose) != lane)
        return 0;
    if ((BE_LOAD(run->u.word[i >> 6]) | BE_LOAD(run->remote[i >> 6])) >> (i & 63) & 1)
        return -1;
    was = vmbe_lane_enter(lane);
    mine = !full || untag(lane, run) == 0;
    if (mine)
        own_free(lane, run, i, full);
    vmbe_lane_leave(lane, was);
    return mine;
}

/* One slab from the pending list, of this lane.  The tag goes first: once rsum is 0 the slab may be put on that
 * list again and, were it known as full, be taken over by another lane (rob()), which would use its
 * words while they are written here. */
static void drain(vmbe_lane_t *lane, vmbe_run_t *run, int locked)
{
    int full = (BE_LOAD(run->lane) & BE_FULL) != 0;
    if (full && untag(lane, run) < 0)
        return;
    quicken(run);
    collect(run, __atomic_exchange_n(&run->rsum, 0, __ATOMIC_ACQ_REL));
    if (full && vmbe_isfull(run)) {
        __atomic_store_n(&run->lane, (uintptr_t)lane | BE_FULL, __ATOMIC_RELEASE);
    } else if (full) {
        link_slab(lane, run);
        settle(lane, run, locked);
    } else if (vmbe_current(&lane->cur[run->cls]) != run) {
        relink(lane, run, locked);
    }
}

void vmbe_drain(vmbe_lane_t *lane, int locked)
{
    vmbe_run_t *run, *next;
    uint32_t was;
    if (BE_LOAD(lane->pending) == NULL)
        return;
    was = vmbe_lane_enter(lane);
    run = __atomic_exchange_n(&lane->pending, NULL, __ATOMIC_ACQUIRE);
    for (; run; run = next) {
        vmbe_lane_t *owner = vmbe_lane(BE_SEE(run->lane));
        next = BE_LOAD(run->pend);
        if (owner == lane)
            drain(lane, run, locked);
        else /* it was taken over by another lane meanwhile: that one shall look */
            push(owner, run);
    }
    vmbe_lane_leave(lane, was);
}

/* The slabs from run on go back to l's pending list. */
static void unpop(vmbe_lane_t *l, vmbe_run_t *run)
{
    vmbe_run_t *none = NULL, *next;
    if (run == NULL || __atomic_compare_exchange_n(&l->pending, &none, run, 0, __ATOMIC_RELEASE,
                                                   __ATOMIC_RELAXED))
        return;
    for (; run; run = next) {
        next = BE_LOAD(run->pend);
        push(vmbe_lane(BE_SEE(run->lane)), run);
    }
}

/* Slabs at the head of l's pending list that were full become lane's, or all in it that were: only their
 * bits say anything of them, and who changes the tag first has them.  The rest goes back. */
static void rob(vmbe_lane_t *lane, vmbe_lane_t *l, int all)
{
    vmbe_run_t *run = BE_LOAD(l->pending), *next;
    if (run == NULL || !(all || (BE_LOAD(run->lane) & BE_FULL)))
        return;
    run = __atomic_exchange_n(&l->pending, NULL, __ATOMIC_ACQUIRE);
    for (; run; run = next) {
        uintptr_t full = (uintptr_t)l | BE_FULL;
        next = BE_LOAD(run->pend);
        if (__atomic_compare_exchange_n(&run->lane, &full, (uintptr_t)lane | BE_FULL, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            drain(lane, run, 1);
        else if (all)
            push(vmbe_lane(BE_SEE(run->lane)), run);
        else
            break;
    }
    unpop(l, run);
}

void vmbe_gather(vmbe_lane_t *lane, int asleep)
{
    vmbe_lane_t *l;
    uint32_t was = vmbe_lane_enter(lane);
    for (l = lane->be->lanes; l; l = l->next) {
        uint32_t turns = BE_LOAD(l->turns);
        int awake = turns != l->seen;
        l->seen = turns;
        if (l == lane)
            continue;
        if (l->tid == 0)
            vmbe_drain(l, 1);
        else if (!asleep || !awake)
            rob(lane, l, 1);
    }
    vmbe_lane_leave(lane, was);
}

/* Where there are many more threads than processors, most of them sleep, and what others free into
 * their lanes would lie idle until they wake.  Before a lane takes new memory it looks at a few of
 * them; locked. */
static void visit(vmbe_lane_t *lane)
{
    vmbe_t *be = lane->be;
    vmbe_lane_t *l = be->visited;
    int i;
    if (be->nlanes <= 2 * (unsigned)vmos_cpus())
        return;
    for (i = 0; i < VISITS; i++) {
        l = l && l->next ? l->next : be->lanes;
        if (l != lane)
            rob(lane, l, 0);
    }
    be->visited = l;
}

/* The empty slabs of a list go back. */
static void flush_list(vmbe_lane_t *lane, vmbe_run_t *run)
{
    vmbe_run_t *next;
    for (; run; run = next) {
        next = run->next;
        if (vmbe_collect(run), vmbe_isempty(run)) {
            unlink_slab(lane, run);
            vmbe_slab_give(lane, run);
        }
    }
}

/* Empty slabs that the lane kept, a current one without blocks in use, and its stash go back. */
void vmbe_flush(vmbe_lane_t *lane, int locked)
{
    unsigned c;
    uint32_t was = vmbe_lane_enter(lane);
    if (!locked)
        vmr_lock(lane->vm);
    for (c = 0; c < BE_CLASSES; c++) {
        vmbe_run_t *run = vmbe_current(&lane->cur[c]);
        if (run != &lane->none && (vmbe_collect(run), vmbe_isempty(run))) {
            if (lane->meter != NULL)
                vmbe_meter_look(lane, c);
            vmbe_leave(lane, c);
            vmbe_slab_give(lane, run);
        }
        flush_list(lane, lane->cur[c].avail);
        flush_list(lane, lane->few[c]);
    }
    vmbe_stash_flush(lane);
    if (!locked)
        vmr_unlock(lane->vm);
    vmbe_lane_leave(lane, was);
}

/* ---- allocation ---- */

/* The current slab has no more blocks, or n, which are too few. */
static void finish(vmbe_lane_t *lane, vmbe_run_t *run, unsigned n)
{
    vmbe_leave(lane, run->cls);
    if (n > 0)
        link_slab(lane, run);
    else
        __atomic_store_n(&run->lane, BE_LOAD(run->lane) | BE_FULL, __ATOMIC_RELEASE);
}

/* run, which has free blocks, becomes the current slab; there is none. */
static void *start(vmbe_lane_t *lane, unsigned cls, vmbe_run_t *run)
{
    run->left = NEVER;
    return vmbe_aim(&lane->cur[cls], run) ? vmbe_take(lane, cls) : NULL;
}

/* Whether to go through the current slab once more for n blocks; few: for any.  Else not for few if there is
 * another one, and a new one is made after every STAYS times that there was none. */
static int again(vmbe_lane_t *lane, const vmbe_run_t *run, unsigned n, int few)
{
    if (n >= enough(run))
        return 1;
    if (n == 0 || few)
        return n != 0;
    return lane->cur[run->cls].avail == NULL && ++lane->stays % STAYS != 0;
}

/* From what the lane has, without a lock; few: also from slabs that wait for more free blocks. */
static void *local(vmbe_lane_t *lane, unsigned cls, int few)
{
    vmbe_cursor_t *c = &lane->cur[cls];
    vmbe_run_t *run = vmbe_current(c);
    unsigned n;
    void *p = vmbe_nextword(c);
    if (p != NULL)
        return p;
    if (c->avail == NULL)
        vmbe_drain(lane, 0);
    if (run != &lane->none) {
        vmbe_collect(run);
        n = freeof(run);
        if (again(lane, run, n, few) && vmbe_aim(c, run))
            return vmbe_take(lane, cls);
        finish(lane, run, n);
    }
    run = pop_slab(lane, lane->cur[cls].avail);
    if (run == NULL && few)
        run = pop_slab(lane, lane->few[cls]);
    return run ? start(lane, cls, run) : NULL;
}

void vmbe_slab_init(vmbe_lane_t *lane, vmbe_run_t *run, unsigned cls)
{
    size_t size = vmbe_classbytes[cls], cap = vmbe_runbytes(run) / size;
    unsigned w;
    cap = cap <= 64 ? cap : VMB_MIN(cap & ~(size_t)63, (size_t)256);
    run->quick = vmbe_classrecip[cls];
    run->cls = (uint8_t)cls;
    run->last = (uint8_t)(cap - 1);
    run->rsum = 0;
    run->kept = 0;
    run->pend = NULL;
    for (w = 0; w < 4; w++) {
        run->remote[w] = vmbe_invalid(run, w);
        run->u.word[w] = ~run->remote[w];
    }
    lane->be->slabblocks += cap;
    lane->be->slabbytes += cap * size;
    BE_SHOW(run->lane, (uintptr_t)lane);
}

/* A slab with free blocks from a lane that no thread holds; locked. */
static vmbe_run_t *adopt(vmbe_lane_t *lane, unsigned cls)
{
    vmbe_lane_t *l;
    vmbe_run_t *run;
    for (l = lane->be->nidle ? lane->be->lanes : NULL; l; l = l->next) {
        if (l->tid != 0 || l == lane)
            continue;
        vmbe_drain(l, 1);
        run = vmbe_current(&l->cur[cls]);
        if (l->meter != NULL)
            vmbe_meter_look(l, cls);
        vmbe_leave(l, cls);
        if (run == &l->none && (run = pop_slab(l, l->cur[cls].avail)) == NULL)
            run = pop_slab(l, l->few[cls]);
        if (run) {
            BE_SHOW(run->lane, (uintptr_t)lane);
            if (vmbe_collect(run))
                return run;
            BE_SHOW(run->lane, (uintptr_t)lane | BE_FULL);
        }
    }
    return NULL;
}

/* Pages of a lane's next slab of a class: few at first and twice as many each time, so that a lane does
 * not go through sixteen pages for a handful of blocks; always few where memory is scarce. */
static size_t slabpages(const vmbe_lane_t *lane, unsigned cls)
{
    size_t least = vmbe_class_leastpages(cls);
    size_t most = lane->be->reserve ? vmbe_class_pages(cls) : vmbe_class_pageswithin(cls, lane->be->pages);
    return VMB_MIN(least << lane->order[cls], most);
}

/* A new slab; locked. */
static vmbe_run_t *fresh(vmbe_lane_t *lane, unsigned cls, int grow)
{
    vmbe_t *be = lane->be;
    size_t want = slabpages(lane, cls), least = vmbe_class_leastpages(cls);
    vmbe_run_t *run = vmbe_run_take(be, want, BE_PAGE, BE_SLAB);
    if (run == NULL && want > least)
        run = vmbe_run_take(be, least, BE_PAGE, BE_SLAB);
    if (run == NULL && grow)
        run = vmbe_run_get(be, want, BE_PAGE, BE_SLAB);
    if (run == NULL && grow && want > least)
        run = vmbe_run_take(be, least, BE_PAGE, BE_SLAB);
    if (run) {
        vmbe_slab_init(lane, run, cls);
        lane->order[cls] += lane->order[cls] < BE_ORDERMAX(cls);
    }
    return run;
}

/* A larger block than asked for, from what the lane has in classes below `end`. */
static void *larger(vmbe_lane_t *lane, unsigned cls, unsigned end)
{
    void *p = NULL;
    for (cls++; cls < end && p == NULL; cls++)
        p = local(lane, cls, 1);
    return p;
}

static void *refill(vmbe_lane_t *lane, unsigned cls)
{
    vmbe_t *be = lane->be;
    vmbe_run_t *run;
    void *p = local(lane, cls, !be->reserve);
    if (p)
        return p;
    vmr_lock(lane->vm);
    run = adopt(lane, cls);
    if (run == NULL) {
        visit(lane);
        if ((run = pop_slab(lane, lane->cur[cls].avail)) == NULL)
            run = fresh(lane, cls, be->reserve);
    }
    if (run == NULL && (p = vmbe_small_alloc(be, vmbe_classbytes[cls], 16)) == NULL &&
        !be->reserve) {
        vmr_unlock(lane->vm);
        if ((p = larger(lane, cls, VMB_MIN(cls + cls / 2 + 2, BE_CLASSES))) != NULL)
            return p;
        vmr_lock(lane->vm);
        run = fresh(lane, cls, 1);
    }
    vmr_unlock(lane->vm);
    if (run)
        return start(lane, cls, run);
    if (p == NULL)
        p = local(lane, cls, 1);
    return p ? p : larger(lane, cls, BE_CLASSES);
}

/* Free pages go back when they are due also where the thread goes on without freeing any, and so does what
 * was freed into the slabs of threads that sleep. */
static void look(vmbe_lane_t *lane)
{
    vmbe_t *be = lane->be;
    uint32_t now;
    BE_STORE(lane->turns, lane->turns + 1);
    if (lane->turns % TURNS != 0)
        return;
    vmr_lock(lane->vm);
    now = be->nlanes > 1 ? (uint32_t)vmos_coarsetime() : be->gathered;
    if (now - be->gathered >= NAP) {
        be->gathered = now;
        vmbe_gather(lane, 1);
        vmbe_stash_gather(be, 0);
    }
    vmbe_stash_age(lane);
    vmbe_purge(be, 0);
    vmr_unlock(lane->vm);
}

/* The block is counted, and the slab that is the current one now is armed. */
static VMOS_NOINLINE void refilled(vmbe_lane_t *lane, unsigned cls, const void *p)
{
    lane->meter->cls[cls].room -= p != NULL;
    lane->meter->bytes += p != NULL ? vmbe_classbytes[cls] : 0;
    vmbe_meter_arm(lane, cls);
}

void *vmbe_refill(vmbe_lane_t *lane, unsigned cls)
{
    uint32_t was = vmbe_lane_enter(lane);
    void *p;
    if (VMOS_UNLIKELY(lane->meter != NULL))
        vmbe_meter_look(lane, cls);
    p = refill(lane, cls);
    if (VMOS_UNLIKELY(lane->meter != NULL))
        refilled(lane, cls, p);
    look(lane);
    vmbe_lane_leave(lane, was);
    return p;
}
