/* SPDX-License-Identifier: MIT */
/*
 * trail: a walk that ends where it comes upon the thread's walk before.
 *
 *   trail[0]     the outermost frame that was wanted; `ended`: of the stack, or the word that ended it
 *   trail[n-1]   the innermost one     sp, pc, fp | where pc and fp were loaded from | rule to the next
 *
 * A frame with the same stack pointer, place and, where it matters, frame pointer as one of the walk before
 * leads to the same callers as that did, if the words are the same that were read on the way.  To compare
 * them takes a fourth of the time of walking, for no load waits for another.  Stacks of one thread
 * differ at their inner ends most of the time, and what they share stays where it is in the trail.
 *
 * No more is walked or compared than the entries that are asked for.  What lies farther out in the trail is of
 * an earlier walk: each frame still leads to the next if the words are the same, which is seen when it is needed.
 *
 * The frame pointer matters where a rule is based on it before another one loads it.
 *
 * Only walks over plain frames within the thread's own stack leave a trail, as in again.c; of others the
 * caller makes a plain one.
 */
#include "again.h"
#include "walk.h"

#include <errno.h>
#include <string.h>

#define ATTEMPTS 4 /* comparisons with what is left of the walk before */
#define REST 255   /* walks without a trail after one of a stack that is too deep */

VMOS_INLINE VMOS_UNCHECKED uintptr_t word(uintptr_t addr)
{
    return *(const uintptr_t *)addr;
}

VMOS_INLINE int within(const vmsk_again_t *t, uintptr_t addr)
{
    return addr - t->low <= t->high - t->low - sizeof(addr);
}

/* From f to the frame behind it.  1, 0 where the stack ends, -1: not a plain frame. */
VMOS_INLINE VMOS_UNCHECKED int step(const vmsk_again_t *t, vmsk_tframe_t *f, uint64_t epoch)
{
    vmsk_rule_t rule = f->rule = vmsk_rule_at(f->pc, epoch);
    vmsk_tframe_t *next = f + 1;
    uintptr_t cfa;
    if (VMOS_UNLIKELY(vmsk_kind(rule) != VMSK_FRAME))
        return vmsk_kind(rule) == VMSK_STOP ? 0 : -1;
    cfa = (vmsk_base(rule) & VMSK_FP ? f->fp : f->sp) + (uintptr_t)vmsk_cfa(rule);
    next->at = cfa + (uintptr_t)(vmsk_ra(rule) * VMSK_WORD);
    if (VMOS_UNLIKELY(vmsk_ra(rule) == VMSK_KEPT || (vmsk_base(rule) & VMSK_AT_SP) ||
                      cfa <= f->sp || cfa % VMSK_WORD != 0 || !within(t, next->at)))
        return -1;
    next->sp = cfa;
    next->pc = vmos_plainpc(word(next->at));
    next->fp = f->fp;
    next->fpat = f->fpat;
    next->rule = 0;
    if (vmsk_fp(rule) != VMSK_KEPT) {
        next->fpat = cfa + (uintptr_t)(vmsk_fp(rule) * VMSK_WORD);
        if (!within(t, next->fpat))
            return -1;
        next->fp = word(next->fpat);
    }
    return next->pc > 1;
}

/* Which of the k outermost frames of the trail, of m from the k-th on outwards, was reached by words that have
 * changed, counted from the outermost one: 0: all are as they were. */
VMOS_INLINE VMOS_UNCHECKED unsigned changed(const vmsk_again_t *t, unsigned k, unsigned m)
{
    for (unsigned end = k - m; k > end; k--) {
        const vmsk_tframe_t *f = &t->trail[k - 1];
        if (vmos_plainpc(word(f->at)) != f->pc || (f->matters && f->fpat != 0 && word(f->fpat) != f->fp))
            return k;
    }
    return 0;
}

VMOS_INLINE int same(const vmsk_tframe_t *a, const vmsk_tframe_t *old)
{
    return a->sp == old->sp && a->pc == old->pc &&
           (!old->matters || (a->fp == old->fp && a->fpat == old->fpat));
}

typedef struct walk {
    unsigned n;      /* fresh frames */
    unsigned kept;   /* the last one is trail[kept - 1]; 0: it is in no trail */
    unsigned beyond; /* frames of the trail farther out than that one that are wanted */
    int ended;       /* without a trail: the stack does */
} walk_t;

/* How many frames farther out than trail[j - 1] are to be as they were, for `more` that are wanted: those of this
 * library, if it is one of them and all in front are, come on top. */
VMOS_INLINE size_t needed(const vmsk_again_t *t, unsigned j, size_t more, int leading, uintptr_t text, uintptr_t size)
{
    while (leading && j > 1 && t->trail[j - 2].pc - text < size)
        j--, more++;
    return more;
}

/* Into t->fresh, innermost first, so many that there are max besides those of this library in front.
 * 0, -1: no trail. */
VMOS_UNCHECKED static int walk(vmsk_again_t *t, const vmos_regs_t *r, uint64_t epoch, size_t max, walk_t *w)
{
    vmsk_tframe_t *f = t->fresh;
    unsigned j = t->trailepoch == epoch ? t->ntrail : 0, tries = 0;
    uintptr_t text, etext;
    size_t more = max; /* frames from f on that are wanted */
    int leading = 1, next;
    vmsk_module_own(&text, &etext);
    *f = (vmsk_tframe_t){.sp = r->sp, .pc = r->pc, .fp = r->fp};
    for (;; f++) {
        leading = leading && f->pc - text < etext - text;
        more -= !leading;
        while (j > 0 && t->trail[j - 1].sp < f->sp)
            j--;
        if (j > 0 && (t->ended || j > more) && same(f, &t->trail[j - 1]) && tries++ < ATTEMPTS) {
            size_t need = needed(t, j, more, leading, text, etext - text);
            unsigned m = (unsigned)VMB_MIN(j - 1, need), until = changed(t, j - 1, m);
            if (until == 0 && (t->ended || j > need)) {
                *w = (walk_t){(unsigned)(f - t->fresh) + 1, j, m, 0};
                return 0;
            }
            j = until != 0 ? until - 1 : 0;
        }
        if (more == 0)
            break;
        next = step(t, f, epoch);
        if (next < 0 || f + 2 == t->fresh + VMSK_TRAIL)
            return -1;
        if (next == 0) {
            f += vmsk_kind(f->rule) != VMSK_STOP;
            break;
        }
    }
    *w = (walk_t){(unsigned)(f - t->fresh) + 1, 0, 0, more != 0};
    return 0;
}

/* There is room for the fresh frames: what was not wanted goes from the outer end of the trail for it.  0, -1. */
static int fit(vmsk_again_t *t, walk_t *w)
{
    unsigned out = w->kept > 0 ? w->kept - 1 - w->beyond : 0;
    if (VMOS_UNLIKELY(w->n + w->kept > VMSK_TRAIL) && out > 0) {
        memmove(t->trail, t->trail + out, (w->kept - out) * sizeof *t->trail);
        w->kept -= out;
        t->ended = 0;
    }
    return w->n + w->kept > VMSK_TRAIL ? -1 : 0;
}

/* The fresh frames become the inner end of the trail. */
static void keep(vmsk_again_t *t, const walk_t *w, uint64_t epoch)
{
    uintptr_t matters = 0;
    unsigned n = w->n, kept = w->kept;
    if (kept > 0) {
        vmsk_tframe_t *joint = &t->trail[kept - 1], old = *joint;
        *joint = t->fresh[--n];
        joint->rule = old.rule;
        joint->matters = matters = old.matters;
    } else {
        t->ended = w->ended;
    }
    while (n-- > 0) {
        vmsk_tframe_t *f = &t->trail[kept++];
        *f = t->fresh[n];
        matters = vmsk_base(f->rule) & VMSK_FP ? 1 : vmsk_fp(f->rule) == VMSK_KEPT ? matters : 0;
        f->matters = matters;
    }
    t->ntrail = kept;
    t->trailepoch = epoch;
}

size_t vmsk_capture_near(vmsk_again_t *t, const vmsk_here_t *here, void **pcs, size_t max)
{
    uintptr_t text, etext;
    walk_t w;
    size_t count = 0;
    int e = errno;
    if (here->high == 0 || max == 0 || (t->rest > 0 && t->rest--))
        return 0;
    if (walk(t, &here->regs, here->epoch, max, &w) != 0 || fit(t, &w) != 0) {
        t->ntrail = 0;
        t->rest = REST;
        errno = e;
        return 0;
    }
    keep(t, &w, here->epoch);
    vmsk_module_own(&text, &etext);
    for (unsigned i = t->ntrail; i > 0 && count < max; i--) {
        uintptr_t pc = t->trail[i - 1].pc;
        if (pc <= 1)
            break;
        if (count > 0 || pc - text >= etext - text)
            pcs[count++] = (void *)pc;
    }
    t->cut = count == max;
    t->trailed = count > 0;
    errno = e;
    return count;
}

/* ---- what the stack of the trail depends on ---- */

/* The word at addr matters.  0, -1: it cannot be one of those remembered. */
VMOS_UNCHECKED static int depend(vmsk_aentry_t *e, uintptr_t addr)
{
    uintptr_t offset = addr - e->sp;
    if (addr < e->sp || offset > UINT32_MAX || e->n == VMSK_WORDS)
        return -1;
    e->word[e->n++] = (vmsk_aword_t){offset, word(addr)};
    return 0;
}

/* The way from the i-th frame, counted from the outermost one, to the next. */
static int onward(const vmsk_again_t *t, vmsk_aentry_t *e, unsigned i)
{
    const vmsk_tframe_t *f = &t->trail[i - 1];
    if (vmsk_kind(f->rule) == VMSK_FRAME && vmsk_base(f->rule) & VMSK_FP) {
        if (f->fpat == 0)
            e->based = 1;
        else if (depend(e, f->fpat) != 0)
            return -1;
    }
    return i > 1 ? depend(e, f[-1].at) : 0;
}

int vmsk_trail_study(vmsk_again_t *t, vmsk_aentry_t *e, const vmos_regs_t *r, size_t n)
{
    uintptr_t text, etext;
    int headed = 0;
    size_t count = 0;
    vmsk_module_own(&text, &etext);
    for (unsigned i = t->ntrail; i > 0 && count < n; i--) {
        const vmsk_tframe_t *f = &t->trail[i - 1];
        int inner = count == 0 && f->pc - text < etext - text;
        if ((inner || count + 1 < n || !t->cut) && onward(t, e, i) != 0)
            return -1;
        if (inner)
            continue;
        if (!headed && f->at != 0) {
            *vmsk_ahead_of(t, r) = (vmsk_ahead_t){r->sp, r->pc, 0, (uint32_t)(f->at - r->sp), 0};
            headed = 1;
        }
        count++;
    }
    return count == n ? 0 : -1;
}
