/* SPDX-License-Identifier: MIT */
/*
 * again: stacks that a thread has come by before are known again without walking them.
 *
 * A walk is determined by the registers that it begins with, the rules, and the words of the stack
 * that it reads: return addresses, and frame pointers where a rule is based on one.  So if the
 * thread is at the same place with the same stack pointer, and these words are what they were, it
 * is the same stack. Comparing ten words takes 2 ns, walking ten frames ten times as long.
 *
 * again.h draws what is remembered.  Words are compared from the innermost one on, four at a time, up
 * to those that differ, and only within the bounds of the thread's stack.  The last four may stand for
 * fewer.  A stack is remembered when it comes the second time among the last three for its pair of entries:
 * what never comes back costs little.
 *
 * Only walks over plain frames are remembered, not those over signals or by frame pointers alone.
 */
#include "again.h"
#include "walk.h"

#include <errno.h>
#include <string.h>

#define INNER 5u /* entries of this library, in a static link, before the one that a look began with */

size_t vmsk_again_size(void)
{
    return sizeof(struct vmsk_again);
}

/* ---- remembering ---- */

typedef struct study {
    vmsk_aentry_t *e;
    vmos_regs_t r;
    uintptr_t high, fpslot; /* where fp was loaded from, 0: it is still in its register */
    uintptr_t at;           /* where pc was loaded from */
} study_t;

/* The word at addr matters.  0, or -1: it cannot be one of those remembered. */
VMOS_UNCHECKED static int depend(study_t *s, uintptr_t addr)
{
    uintptr_t offset = addr - s->e->sp;
    if (addr < s->e->sp || offset > UINT32_MAX || offset + sizeof(addr) > s->high - s->e->sp ||
        s->e->n == VMSK_WORDS)
        return -1;
    s->e->word[s->e->n++] = (vmsk_aword_t){offset, *(const uintptr_t *)addr};
    return 0;
}

static int depend_fp(study_t *s)
{
    if (s->fpslot != 0)
        return depend(s, s->fpslot);
    s->e->based = 1;
    return 0;
}

/* One step, as capture.c goes.  1, 0 where the stack ends, -1: not one to be remembered. */
VMOS_UNCHECKED static int step(study_t *s, vmsk_rule_t rule)
{
    uintptr_t cfa;
    if (vmsk_kind(rule) == VMSK_STOP)
        return 0;
    if (vmsk_kind(rule) != VMSK_FRAME || vmsk_ra(rule) == VMSK_KEPT || vmsk_base(rule) & VMSK_AT_SP)
        return -1;
    if (vmsk_base(rule) & VMSK_FP && depend_fp(s) != 0)
        return -1;
    cfa = (vmsk_base(rule) & VMSK_FP ? s->r.fp : s->r.sp) + (uintptr_t)vmsk_cfa(rule);
    s->at = cfa + (uintptr_t)(vmsk_ra(rule) * VMSK_WORD);
    if (cfa <= s->r.sp || cfa % VMSK_WORD != 0 || depend(s, s->at) != 0)
        return -1;
    s->r.pc = vmos_plainpc(*(const uintptr_t *)s->at);
    if (vmsk_fp(rule) != VMSK_KEPT) {
        s->fpslot = cfa + (uintptr_t)(vmsk_fp(rule) * VMSK_WORD);
        if (s->fpslot < s->e->sp || s->fpslot + sizeof(cfa) > s->high)
            return -1;
        s->r.fp = *(const uintptr_t *)s->fpslot;
    }
    s->r.sp = cfa;
    return s->r.pc > 1;
}

/* Words are compared in the order in which they were read; the farthest is compared with the bounds
 * in same(), and must come last. */
static void order(vmsk_aentry_t *e)
{
    unsigned far = 0, n = e->n;
    for (unsigned i = 1; i < n; i++)
        far = e->word[i].offset >= e->word[far].offset ? i : far;
    if (n == VMSK_WORDS || n == 0) {
        e->n = 0; /* not remembered */
        return;
    }
    while (far != n - 1 || n % VMSK_GROUP != 0) {
        e->word[n] = e->word[far];
        far = n++;
    }
    e->n = (uint16_t)n;
}

/* In a static link pcs begins inside of this library, it may be further in than r: by so many. */
static size_t inner(const vmos_regs_t *r, void *const *pcs, size_t n)
{
    for (size_t i = 1; i < n && i < INNER; i++)
        if (pcs[i] == (void *)r->pc)
            return i;
    return 0;
}

/* Walk the stack again, n entries that were captured into pcs, and note what it depends on. */
static void study(vmsk_again_t *t, vmsk_aentry_t *e, const vmos_regs_t *r, void *const *pcs,
                  size_t n, uintptr_t high, uint64_t epoch)
{
    study_t s = {e, *r, high, 0, 0};
    uintptr_t text, etext;
    int leading = 1, headed = 0, more;
    size_t i = 0, ours;
    e->n = e->based = 0;
    e->sp = r->sp;
    e->pc = r->pc;
    e->fp = r->fp;
    if (t->trailed) {
        if (vmsk_trail_study(t, e, r, n) != 0)
            e->n = 0;
        else
            order(e);
        return;
    }
    vmsk_module_own(&text, &etext);
    ours = text == 0 ? inner(r, pcs, n) : 0;
    pcs += ours;
    n -= ours;
    do {
        uintptr_t pc = s.r.pc, at = s.at;
        more = step(&s, vmsk_rule_at(pc, epoch));
        if (leading && pc - text < etext - text)
            continue;
        leading = 0;
        if (!headed && at != 0) {
            *vmsk_ahead_of(t, r) = (vmsk_ahead_t){r->sp, r->pc, 0, (uint32_t)(at - r->sp), 0};
            headed = 1;
        }
        if (pcs[i] != (void *)pc && i + text > 0) /* of two calls in the same function */
            more = -1;
        i++;
    } while (more == 1 && i < n);
    if (more < 0 || i != n)
        e->n = 0;
    else
        order(e);
}

VMOS_NOINLINE size_t vmsk_capture_here(const vmsk_here_t *here, void **pcs, size_t max)
{
    void *all[VMSK_DEPTH + INNER];
    uintptr_t text, etext;
    size_t n, ours;
    vmsk_module_own(&text, &etext);
    if (text != 0)
        return vmsk_capture(pcs, max, 0);
    max = VMB_MIN(max, VMSK_DEPTH);
    n = vmsk_capture(all, max + INNER, 0);
    ours = inner(&here->regs, all, n);
    n = VMB_MIN(n - ours, max);
    memcpy(pcs, all + ours, n * sizeof(*pcs));
    return n;
}

/* ---- the call ---- */

VMOS_COLD void vmsk_again_missed(vmsk_again_t *t, vmsk_here_t *here, const vmos_regs_t *r,
                                 uint64_t key, uint64_t salt, uint64_t epoch)
{
    vmsk_bounds_t b = {0, 0, 1};
    *here = (vmsk_here_t){*r, 0, key, salt, epoch};
    t->trailed = 0;
    if (VMOS_CALLER && epoch != 0 && vmsk_bounds_find(&b, r->sp) && vmsk_bounds_kept(&b) &&
        r->sp - b.low < b.high - b.low) {
        if (t->self != vmos_self() || t->high != b.high)
            t->ntrail = 0; /* of another stack, which may be gone */
        t->self = vmos_self();
        t->low = b.low;
        t->high = here->high = b.high;
    }
}

VMOS_NOINLINE VMOS_UNCHECKED uint32_t *vmsk_known(vmsk_again_t *t, uint64_t salt, vmsk_here_t *here)
{
    uint64_t epoch = __atomic_load_n(&vmsk_epoch, __ATOMIC_ACQUIRE), key;
    vmos_regs_t r;
    vmsk_aentry_t *e;
    VMOS_REGS(&r);
    e = vmsk_again_find(t, &r, salt, epoch, &key);
    if (VMOS_LIKELY(e != NULL))
        return &e->value;
    vmsk_again_missed(t, here, &r, key, salt, epoch);
    return NULL;
}

/* Whether the same stack was one of the last two for its pair of entries; it is, from now on.  Stacks with the
 * same key may differ farther out, and those that do not come back are not worth a study. */
static int came_before(vmsk_again_t *t, uint64_t key, uint32_t value)
{
    uint64_t *c = &t->candidates[vmsk_aplace(key)], *beside = &t->candidates[vmsk_abeside(key)];
    uint64_t candidate = key ^ value * UINT64_C(0x9e3779b97f4a7c15);
    if (*c == candidate || *beside == candidate)
        return 1;
    *beside = *c;
    *c = candidate;
    return 0;
}

/* The first stack of its stack pointer and place tells where callers' addresses lie, and is not remembered
 * itself. */
void vmsk_remember(vmsk_again_t *t, const vmsk_here_t *here, void *const *pcs, size_t n,
                   uint32_t value)
{
    size_t i = vmsk_aplace(here->key);
    vmsk_aentry_t first, *e;
    if (here->high == 0 || n == 0)
        return;
    if (here->key == 0) {
        study(t, &first, &here->regs, pcs, n, here->high, here->epoch);
        return;
    }
    if (!came_before(t, here->key, value))
        return;
    if (t->keys[i] != 0 && ++t->turn & 1)
        i = vmsk_abeside(here->key);
    e = &t->entries[i];
    e->key = t->keys[i] = 0;
    study(t, e, &here->regs, pcs, n, here->high, here->epoch);
    e->epoch = here->epoch;
    e->salt = here->salt;
    e->value = value;
    e->key = t->keys[i] = e->n != 0 ? here->key : 0;
}
