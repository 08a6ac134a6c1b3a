/* SPDX-License-Identifier: MIT */
/*
 * shared: regions that several processes use at the same time, any of which may die at any moment.
 *
 * Each call holds the region's lock from its first look to its last store, and is undone when its
 * process dies before that.  What it takes to undo is in the log, in the region itself:
 *
 *   log->entry   | old bytes | p n | old bytes | p n | ...       used
 *                 \____________/    \____________/          ^ what is behind does not count
 *
 * Before a call changes [p, p+n) it notes what is there: first the bytes and p and n, then `used`.
 * A process dies between two of its stores and loses none of those before, so whoever gets the lock
 * next finds either nothing in the log, or enough to put everything back, last note first.  Putting back
 * is the same however often it is begun.  The last store of a call sets used to 0; from then on
 * it is done.  (This is the undo log of transactions on memory, as libpmemobj's, without what
 * power failures ask for.)
 *
 * A long call is a chain of short ones: vmr_step() where everything is in order.  What does not fit
 * the log says so (`lost`), and the method makes all anew from what it knows for sure, as after a
 * longjmp() (VM_METHTORN); clearing is not undone but done again.
 *
 * Within a process the lock may be taken again by the thread that holds it; the outermost release
 * ends the call.  So vmuserdata(), which allocates, is done whole or not at all.
 *
 * Cost: a compare-and-swap and an exchange for the lock, some ten instructions for a note.  Undoing
 * takes as long as the notes of one call, microseconds, however large the region is.
 */
#include "parts.h"

#include <string.h>

void (*vmr_onstep)(int step, const void *p, size_t n);

#define STEP(what, p, n)                                                                          \
    do {                                                                                          \
        if (VMOS_UNLIKELY(vmr_onstep != NULL))                                                    \
            (*vmr_onstep)(what, p, n);                                                            \
    } while (0)

/* Stores before it are made before those behind it, as far as a process can tell that dies. */
#define ORDER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

typedef struct mark {
    char *p;
    size_t n;
} mark_t;

/* ---- the log ---- */

void vmr_laylog(Vmdata_t *data, char *at)
{
    data->log = (vmr_log_t *)VMB_UP(at, 64);
    memset(data->log, 0, offsetof(vmr_log_t, entry));
    memset(data->log->recent, 0, sizeof data->log->recent);
}

void vmr_lognote(vmr_log_t *log, const void *p, size_t n)
{
    uint32_t used = log->used;
    size_t pad = VMB_UP(n, sizeof(void *));
    mark_t mark = {(char *)(uintptr_t)p, n};

    if (log->again != 0)
        return;
    STEP(VMR_ONNOTE, p, n);
    if (pad + sizeof mark > VMR_LOGSIZE - used) {
        log->lost = 1;
        ORDER();
        return;
    }
    if (n == sizeof(uint64_t))
        memcpy(log->entry + used, p, sizeof(uint64_t));
    else
        memcpy(log->entry + used, p, n);
    memcpy(log->entry + used + pad, &mark, sizeof mark);
    ORDER();
    log->used = used + (uint32_t)(pad + sizeof mark);
    ORDER();
    STEP(VMR_ONNOTED, p, n);
}

/* The call is done. */
static void forget(vmr_log_t *log)
{
    ORDER();
    STEP(VMR_ONDONE, NULL, 0);
    log->used = 0;
    ORDER();
    log->lost = 0;
    STEP(VMR_ONDONE, log, 0);
}

/* Entries that lead out of the region are not the library's: such a log is not followed. */
static int plausible(const mark_t *mark, const vmr_peer_t *peer, uint32_t at)
{
    return mark->p >= peer->lo && mark->p < peer->hi && mark->n <= (size_t)(peer->hi - mark->p) &&
           VMB_UP(mark->n, sizeof(void *)) <= at;
}

static void undo(vmr_log_t *log, const vmr_peer_t *peer)
{
    uint32_t at = log->used;
    mark_t mark;

    while (at >= sizeof mark && at <= VMR_LOGSIZE) {
        memcpy(&mark, log->entry + at - sizeof mark, sizeof mark);
        at -= (uint32_t)sizeof mark;
        if (!plausible(&mark, peer, at))
            break;
        at -= (uint32_t)VMB_UP(mark.n, sizeof(void *));
        memcpy(mark.p, log->entry + at, mark.n);
        STEP(VMR_ONUNDO, mark.p, mark.n);
    }
    ORDER();
    log->used = 0;
}

/* Who held the lock before, died, or left it by longjmp(). */
static void repair(Vmalloc_t *vm)
{
    vmr_log_t *log = vm->data->log;

    if (log->again != 0) {
        vmr_event(vm, (int)log->again, NULL);
        vmr_endagain(vm);
    } else if (log->lost) {
        log->used = 0; /* what was not noted and what was belong together */
        vmr_event(vm, VM_METHTORN, NULL);
    } else {
        undo(log, vmr_handle(vm)->peer);
    }
    log->used = 0;
    ORDER();
    log->lost = 0;
    log->died++;
}

void vmr_beginagain(Vmalloc_t *vm, int event)
{
    vm->data->log->again = (uint32_t)event;
    ORDER();
    STEP(VMR_ONNOTED, NULL, 0);
}

void vmr_endagain(Vmalloc_t *vm)
{
    forget(vm->data->log);
    vm->data->log->again = 0;
    ORDER();
    STEP(VMR_ONDONE, NULL, 0);
}

void vmr_step(Vmalloc_t *vm)
{
    vmr_peer_t *peer = vmr_handle(vm)->peer;

    if (peer != NULL && peer->depth == 1)
        forget(vm->data->log);
}

/* ---- the lock ---- */

static int mine(const vmr_peer_t *peer)
{
    return __atomic_load_n(&peer->holder, __ATOMIC_RELAXED) == vmos_self();
}

void vmr_lockshared(Vmalloc_t *vm)
{
    vmr_peer_t *peer = vmr_handle(vm)->peer;
    vmr_log_t *log = vm->data->log;

    if (mine(peer)) {
        peer->depth++;
        return;
    }
    vmos_robust_lock(&vm->data->lock, peer->me, peer->alivef, peer);
    __atomic_store_n(&peer->holder, vmos_self(), __ATOMIC_RELAXED);
    peer->depth = 1;
    vm->data->vm = vm; /* the handle of who is inside: another process' is none here */
    STEP(VMR_ONLOCK, NULL, 0);
    if (VMOS_UNLIKELY((log->used | log->lost | log->again) != 0))
        repair(vm);
}

void vmr_unlockshared(Vmalloc_t *vm)
{
    vmr_peer_t *peer = vmr_handle(vm)->peer;
    vmr_log_t *log = vm->data->log;

    if (--peer->depth > 0)
        return;
    if (log->used != 0)
        forget(log);
    __atomic_store_n(&peer->holder, 0, __ATOMIC_RELAXED);
    vmos_robust_unlock(&vm->data->lock);
}

void vmr_breakshared(Vmalloc_t *vm, int all)
{
    vmr_peer_t *peer = vmr_handle(vm)->peer;

    if (!mine(peer) && !(all && __atomic_load_n(&peer->holder, __ATOMIC_RELAXED) != 0))
        return;
    repair(vm);
    peer->depth = 0;
    __atomic_store_n(&peer->holder, 0, __ATOMIC_RELAXED);
    vmos_robust_unlock(&vm->data->lock);
}

/* ---- blocks that a process got last ---- */

void vmr_gave(Vmalloc_t *vm, void *p)
{
    vmr_log_t *log = vm->data->log;
    struct vmr_recent *r = &log->recent[vmr_handle(vm)->peer->slot];
    void **at = &r->block[r->n % VMR_RECENT];

    vmr_lognote(log, at, sizeof *at);
    *at = p;
    r->n++;
    if (VMOS_UNLIKELY(vmr_handle(vm)->peer->slot >= log->nslots))
        log->nslots = vmr_handle(vm)->peer->slot + 1;
}

void vmr_took(Vmalloc_t *vm, const void *p)
{
    vmr_log_t *log = vm->data->log;
    uint32_t i, k, n = VMB_MIN(log->nslots, (uint32_t)VMR_SLOTS);

    for (i = 0; i < n; i++)
        for (k = 0; k < VMR_RECENT; k++)
            if (VMOS_UNLIKELY(log->recent[i].block[k] == p)) {
                vmr_lognote(log, &log->recent[i].block[k], sizeof(void *));
                log->recent[i].block[k] = NULL;
                return;
            }
}

static int hasnone(const struct vmr_recent *r)
{
    uint32_t k = 0;

    while (k < VMR_RECENT && r->block[k] == NULL)
        k++;
    return k == VMR_RECENT;
}

void vmr_fewer(Vmalloc_t *vm)
{
    vmr_log_t *log;

    vmr_lock(vm);
    log = vm->data->log;
    while (log->nslots > VMR_SLOTS || (log->nslots > 0 && hasnone(&log->recent[log->nslots - 1])))
        log->nslots--;
    vmr_unlock(vm);
}

void vmr_forgive(Vmalloc_t *vm)
{
    vmr_log_t *log = vm->data->log;

    memset(log->recent, 0, VMB_MIN(log->nslots, (uint32_t)VMR_SLOTS) * sizeof log->recent[0]);
}

/* ---- opening and forking ---- */

void vmr_again(Vmalloc_t *vm)
{
    vmos_lock(&vmr_listlock);
    vmr_handle(vm)->again++;
    vmos_unlock(&vmr_listlock);
}

vmr_peer_t *vmr_peer(Vmalloc_t *vm)
{
    return vm->data != NULL && vmr_shared(vm) ? vmr_handle(vm)->peer : NULL;
}

vmr_peer_t *vmr_peerof(const Vmdisc_t *disc)
{
    const Vmdiscmore_t *more = (const Vmdiscmore_t *)disc;

    if (disc->size < sizeof *more || disc->size > 65536 || more->tag != VM_DCMORE)
        return NULL;
    return more->flags & VM_DCSHARED ? more->peer : NULL;
}

static int within(const void *p, size_t n, const vmr_peer_t *peer)
{
    const char *at = p;

    return (uintptr_t)p % VM_ALIGN == 0 && at >= peer->lo && at < peer->hi &&
           n <= (size_t)(peer->hi - at);
}

/* The one segment lies where the discipline has it, and what follows from it does.  Another process may be
 * making it longer at this moment. */
int vmr_sane(const Vmdata_t *data, const vmr_peer_t *peer)
{
    const Vmseg_t *seg;

    if (!within(data, sizeof *data, peer) || !within(data->segs, sizeof *seg, peer) ||
        !within(data->log, sizeof(vmr_log_t), peer))
        return 0;
    seg = data->segs;
    return seg->next == NULL && within(seg->addr, seg->extent, peer) && data->nseg == 1 &&
           (const char *)seg >= seg->addr && within(seg->end - VM_ALIGN, VM_ALIGN, peer) &&
           seg->base >= (const char *)data && seg->base < seg->end && data->incr > 0;
}

/* The child has all memory, also of the lock, with its parent: it touches nothing, but takes a slot of
 * its own.  Without one it must not use the region. */
void vmr_forkshared(Vmalloc_t *vm)
{
    vmr_peer_t *peer = vmr_handle(vm)->peer;

    peer->holder = 0;
    peer->depth = 0;
    if ((*peer->forkedf)(peer) < 0)
        vmr_bury(vm);
}
