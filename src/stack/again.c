/* SPDX-License-Identifier: MIT */
/*
 * again: stacks that a thread has come by before are known again without walking them.
 *
 * A walk is determined by the registers that it begins with, the rules, and the words of the stack
 * that it reads: return addresses, and frame pointers where a rule is based on one.  So if the
 * thread is at the same place with the same stack pointer, and these words are what they were, it
 * is the same stack. Comparing ten words takes 2 ns, walking ten frames ten times as long.
 *
 *   bounds                  of the thread's stack, as bounds.c keeps them
 *   head, by sp             where the first return address outside of this library lies
 *   entry, by sp and that   | sp, pc, fp, epoch, salt | value | offset, word | offset, word | ...
 *
 * Words are compared from the innermost one on, four at a time, up to those that differ, and only
 * within the bounds of the thread's stack.  The last four may stand for fewer.  A stack is
 * remembered when it comes the second time in a row for its pair of entries: what never comes back
 * costs little.
 *
 * Only walks over plain frames are remembered, not those over signals or by frame pointers alone.
 */
#include "walk.h"

#include <errno.h>

#define HEADS 1024u /* stack pointers of 16 KiB have one each */
#define ENTRIES 1024u /* in pairs; with 256 a program of many stacks walks twice as much */
#define WORDS 56u /* that one stack is known by; a multiple of GROUP */
#define GROUP 4u  /* words that are compared before it is asked whether they differ */

typedef struct head {
    uintptr_t sp, offset;
} head_t;

typedef struct word {
    uintptr_t offset; /* from sp, rising */
    uintptr_t value;
} word_t;

typedef struct entry {
    uintptr_t sp, pc, fp; /* fp only where based */
    uint64_t epoch, salt, candidate;
    uint32_t value;
    uint16_t n, based;
    word_t word[WORDS];
} entry_t;

struct vmsk_again {
    uintptr_t self, low, high; /* whose stack, and its bounds */
    head_t heads[HEADS];
    entry_t entries[ENTRIES];
    unsigned turn; /* which one of a pair is replaced next */
};

size_t vmsk_again_size(void)
{
    return sizeof(struct vmsk_again);
}

static head_t *head_of(vmsk_again_t *t, uintptr_t sp)
{
    return &t->heads[sp / 16 % HEADS];
}

VMOS_INLINE uint64_t key_of(const vmos_regs_t *r, uintptr_t caller, uint64_t salt)
{
    uint64_t x = (r->sp ^ (uint64_t)caller << 20 ^ salt) * 0x9e3779b97f4a7c15u;
    return (x ^ caller ^ r->pc) * 0xd6e8feb86659fd93u;
}

/* Where it lies most likely: what comes often is found there, and the branch foreseen. */
VMOS_INLINE entry_t *entry_of(vmsk_again_t *t, uint64_t key)
{
    return &t->entries[key >> 54];
}

/* The other one of the pair. */
VMOS_INLINE entry_t *beside(vmsk_again_t *t, uint64_t key)
{
    return &t->entries[key >> 54 ^ 1];
}

VMOS_INLINE VMOS_UNCHECKED uintptr_t differs(const word_t *w, uintptr_t sp)
{
    return *(const uintptr_t *)(sp + w->offset) ^ w->value;
}

/* The words of the stack are those of the entry; high: end of what can be read. */
VMOS_INLINE VMOS_UNCHECKED int same(const entry_t *e, const vmos_regs_t *r, uint64_t salt,
                                    uint64_t epoch, uintptr_t high)
{
    const word_t *w = e->word, *end = w + e->n;
    if (e->sp != r->sp || e->pc != r->pc || e->salt != salt || e->epoch != epoch || e->value == 0 ||
        (e->based && e->fp != r->fp) || end[-1].offset + sizeof(uintptr_t) > high - r->sp)
        return 0;
    for (; w < end; w += GROUP)
        if (differs(w, r->sp) | differs(w + 1, r->sp) | differs(w + 2, r->sp) |
            differs(w + 3, r->sp))
            return 0;
    return 1;
}

/* ---- remembering ---- */

typedef struct study {
    entry_t *e;
    vmos_regs_t r;
    uintptr_t high, fpslot; /* where fp was loaded from, 0: it is still in its register */
    uintptr_t at;           /* where pc was loaded from */
} study_t;

/* The word at addr matters.  0, or -1: it cannot be one of those remembered. */
VMOS_UNCHECKED static int depend(study_t *s, uintptr_t addr)
{
    uintptr_t offset = addr - s->e->sp;
    if (addr < s->e->sp || offset > UINT32_MAX || offset + sizeof(addr) > s->high - s->e->sp ||
        s->e->n == WORDS)
        return -1;
    s->e->word[s->e->n++] = (word_t){offset, *(const uintptr_t *)addr};
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
    s->at = cfa + (uintptr_t)(vmsk_ra(rule) * 8);
    if (cfa <= s->r.sp || cfa % 8 != 0 || depend(s, s->at) != 0)
        return -1;
    s->r.pc = vmos_plainpc(*(const uintptr_t *)s->at);
    if (vmsk_fp(rule) != VMSK_KEPT) {
        s->fpslot = cfa + (uintptr_t)(vmsk_fp(rule) * 8);
        if (s->fpslot < s->e->sp || s->fpslot + sizeof(cfa) > s->high)
            return -1;
        s->r.fp = *(const uintptr_t *)s->fpslot;
    }
    s->r.sp = cfa;
    return s->r.pc > 1;
}

/* Words are compared in the order in which they were read; the farthest is compared with the bounds
 * in same(), and must come last. */
static void order(entry_t *e)
{
    unsigned far = 0, n = e->n;
    for (unsigned i = 1; i < n; i++)
        far = e->word[i].offset >= e->word[far].offset ? i : far;
    if (n == WORDS || n == 0) {
        e->sp = 0; /* not remembered */
        return;
    }
    while (far != n - 1 || n % GROUP != 0) {
        e->word[n] = e->word[far];
        far = n++;
    }
    e->n = (uint16_t)n;
}

/* Walk the stack again, n entries that were captured into pcs, and note what it depends on. */
static void study(vmsk_again_t *t, entry_t *e, const vmos_regs_t *r, void *const *pcs, size_t n,
                  uintptr_t high, uint64_t epoch)
{
    study_t s = {e, *r, high, 0, 0};
    uintptr_t text, etext;
    int leading = 1, more;
    size_t i = 0;
    vmsk_module_own(&text, &etext);
    e->n = e->based = 0;
    e->sp = r->sp;
    e->pc = r->pc;
    e->fp = r->fp;
    do {
        uintptr_t pc = s.r.pc, at = s.at;
        more = step(&s, vmsk_rule_at(pc, epoch));
        if (leading && pc - text < etext - text)
            continue;
        if (leading && at != 0) {
            *head_of(t, r->sp) = (head_t){r->sp, at - r->sp};
            leading = 0;
        }
        if (pcs[i] != (void *)pc && i + text > 0) /* of two calls in the same function */
            more = -1;
        i++;
    } while (more == 1 && i < n);
    if (more < 0 || i != n)
        e->sp = 0;
    else
        order(e);
}

/* ---- the call ---- */

/* It is not known: why, for vmsk_remember(), and the bounds for the next time. */
VMOS_COLD static uint32_t *unknown(vmsk_again_t *t, vmsk_here_t *here)
{
    vmsk_bounds_t b = {0, 0, 1};
    uintptr_t sp = here->regs.sp;
    here->high = 0;
    if (VMOS_CALLER && here->epoch != 0 && vmsk_bounds_find(&b, sp) && vmsk_bounds_kept(&b) &&
        sp - b.low < b.high - b.low) {
        t->self = vmos_self();
        t->low = b.low;
        t->high = here->high = b.high;
    }
    return NULL;
}

VMOS_NOINLINE VMOS_UNCHECKED uint32_t *vmsk_known(vmsk_again_t *t, uint64_t salt, vmsk_here_t *here)
{
    uint64_t epoch = __atomic_load_n(&vmsk_epoch, __ATOMIC_ACQUIRE), key = 0;
    vmos_regs_t r;
    const head_t *h;
    entry_t *e;
    VMOS_REGS(&r);
    h = head_of(t, r.sp);
    if (VMOS_LIKELY(h->sp == r.sp && t->self == vmos_self() && r.sp - t->low < t->high - t->low &&
                    h->offset + sizeof(r.sp) <= t->high - r.sp)) {
        key = key_of(&r, *(const uintptr_t *)(r.sp + h->offset), salt);
        e = entry_of(t, key);
        if (VMOS_LIKELY(same(e, &r, salt, epoch, t->high)))
            return &e->value;
        e = beside(t, key);
        if (same(e, &r, salt, epoch, t->high))
            return &e->value;
    }
    *here = (vmsk_here_t){r, 0, key, salt, epoch};
    return unknown(t, here);
}

/* The first stack of its stack pointer tells where callers' addresses lie, and is not remembered
 * itself. */
void vmsk_remember(vmsk_again_t *t, const vmsk_here_t *here, void *const *pcs, size_t n,
                   uint32_t value)
{
    entry_t *e = entry_of(t, here->key);
    entry_t first;
    if (here->high == 0 || n == 0)
        return;
    if (here->key == 0) {
        study(t, &first, &here->regs, pcs, n, here->high, here->epoch);
        return;
    }
    if (e->candidate != here->key) {
        e->candidate = here->key;
        return;
    }
    if (e->value != 0 && ++t->turn & 1)
        e = beside(t, here->key);
    e->value = 0;
    study(t, e, &here->regs, pcs, n, here->high, here->epoch);
    e->salt = here->salt;
    e->epoch = here->epoch;
    e->value = value;
}
