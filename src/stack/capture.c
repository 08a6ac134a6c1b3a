/* SPDX-License-Identifier: MIT */
/*
 * The walk: from frame to frame by rules, which are found by address in a cache.
 *
 * Where no rule is known, in code that a compiler made while the program ran or in assembly
 * without tables, the frame pointer is tried: it must rise and stay in the stack.  Addresses of no
 * module that were found so count only if the walk comes back to a module: what looks like a frame
 * but is none leads nowhere.
 *
 * Safety: nothing is read outside of the bounds of the stack; the stack pointer rises in each step
 * but those over frames of signals, which are counted.  So a walk ends, whatever lies on the stack.
 *
 * Cost: 4 ns a frame, which is one chain of loads: return address, slot, CFA.  Measured in
 * bench/stack.c.
 */
#include "walk.h"

#include <errno.h>

#define SIGNALS 8 /* frames of signals in one walk */

typedef struct walk {
    vmos_regs_t r; /* pc is an entry: less one, it lies in the instruction */
    vmsk_bounds_t b;
    int signals;
    uintptr_t exact; /* the entry that stands for where a signal struck, not for a call */
    int wild;        /* there is no code, though there may be memory */
} walk_t;

/* Whether [addr, addr+VMSK_WORD) is a word of the stack that can be read. */
VMOS_INLINE int within(walk_t *w, uintptr_t addr)
{
    return VMOS_LIKELY(addr - w->b.low <= w->b.high - w->b.low - sizeof(addr)) ||
           vmsk_bounds_widen(&w->b, addr, sizeof(addr));
}

/* Call frames that a signal interrupted: registers are in the context. */
VMOS_COLD VMOS_UNCHECKED static int over_signal(walk_t *w)
{
    uintptr_t context = vmos_signal_context(w->r.sp);
    if (context == 0 || ++w->signals > SIGNALS ||
        !vmsk_bounds_widen(&w->b, context, vmos_context_size()) ||
        vmos_regs_of_context(&w->r, (const void *)context) != 0)
        return 0;
    w->exact = ++w->r.pc;
    if (w->r.sp - w->b.low >= w->b.high - w->b.low && !vmsk_bounds_find(&w->b, w->r.sp))
        return 0;
    return 1;
}

/* | frame pointer of the caller | return address | */
VMOS_COLD VMOS_UNCHECKED static int by_pointer(walk_t *w)
{
    const uintptr_t *frame = (const uintptr_t *)w->r.fp;
    if (!VMOS_CHAINED || w->r.fp < w->r.sp || w->r.fp % sizeof(*frame) != 0 || !within(w, w->r.fp) ||
        !within(w, w->r.fp + sizeof(*frame)))
        return 0;
    w->r.sp = w->r.fp + 2 * sizeof(*frame);
    w->r.fp = frame[0];
    w->r.pc = vmos_plainpc(frame[1]);
    w->r.lr = 0;
    return w->r.pc > 1;
}

/* Where a signal struck in code that says nothing, such as that between a call and another library: the link
 * register still has the return address. */
VMOS_COLD static int by_link(walk_t *w)
{
    if (VMOS_RA_ON_STACK || w->r.pc != w->exact || w->r.lr == 0)
        return 0;
    w->r.pc = vmos_plainpc(w->r.lr);
    w->r.lr = 0;
    return w->r.pc > 1;
}

/* To the caller: 1, or 0 where the stack ends. */
VMOS_INLINE VMOS_UNCHECKED int by_rule(walk_t *w, vmsk_rule_t rule)
{
    uintptr_t cfa = (vmsk_base(rule) & VMSK_FP ? w->r.fp : w->r.sp) + (uintptr_t)vmsk_cfa(rule);
    uintptr_t at;
    if (VMOS_UNLIKELY(vmsk_base(rule) & VMSK_AT_SP)) {
        if (!within(w, cfa))
            return 0;
        cfa = *(const uintptr_t *)cfa;
    }
    if (VMOS_UNLIKELY(vmsk_ra(rule) == VMSK_KEPT)) {
        if (cfa < w->r.sp || w->r.lr == 0)
            return 0;
        w->r.pc = vmos_plainpc(w->r.lr);
        w->r.lr = 0;
    } else {
        at = cfa + (uintptr_t)(vmsk_ra(rule) * VMSK_WORD);
        if (cfa <= w->r.sp || cfa % VMSK_WORD != 0 || !within(w, at))
            return 0;
        w->r.pc = vmos_plainpc(*(const uintptr_t *)at);
    }
    if (vmsk_fp(rule) != VMSK_KEPT) {
        at = cfa + (uintptr_t)(vmsk_fp(rule) * VMSK_WORD);
        if (!within(w, at))
            return 0;
        w->r.fp = *(const uintptr_t *)at;
    }
    w->r.sp = cfa;
    return w->r.pc > 1;
}

/* A call to where no code is, as through a NULL pointer: on to the return address of the call. */
VMOS_COLD VMOS_UNCHECKED static int over_wild(walk_t *w)
{
    uintptr_t ra = w->r.lr;
    if ((!w->wild && vmos_readable(w->r.pc - 1, 1) > 0) || (VMOS_RA_ON_STACK && !within(w, w->r.sp)))
        return 0;
    if (VMOS_RA_ON_STACK)
        ra = *(const uintptr_t *)w->r.sp;
    ra = vmos_plainpc(ra);
    if (vmsk_kind(vmsk_rule_find(ra)) == VMSK_ALIEN)
        return 0;
    w->r.sp += VMOS_RA_ON_STACK ? sizeof(ra) : 0;
    w->r.pc = ra;
    w->r.lr = 0;
    return 1;
}

VMOS_COLD static int otherwise(walk_t *w, unsigned kind)
{
    if (kind == VMSK_SIGNAL)
        return over_signal(w);
    if ((kind == VMSK_ALIEN || w->wild) && w->r.pc == w->exact && over_wild(w))
        return 1;
    return kind != VMSK_STOP && (by_pointer(w) || (kind == VMSK_CHAIN && by_link(w)));
}

/* The entries from here on: how many.  Those of [text, etext) that come first are left out, then
 * skip more. */
VMOS_INLINE size_t follow(walk_t *w, void **pcs, size_t max, size_t skip, uintptr_t text,
                          uintptr_t etext)
{
    uint64_t epoch = __atomic_load_n(&vmsk_epoch, __ATOMIC_ACQUIRE);
    size_t n = 0, sure = 0;
    int leading = 1, more;
    do {
        uintptr_t pc = w->r.pc;
        vmsk_rule_t rule = vmsk_rule_at(pc, epoch);
        if (VMOS_LIKELY(vmsk_kind(rule) == VMSK_FRAME))
            more = by_rule(w, rule);
        else
            more = otherwise(w, vmsk_kind(rule));
        if (leading && pc - text < etext - text)
            continue;
        leading = 0;
        if (skip > 0) {
            skip--;
            continue;
        }
        pcs[n++] = (void *)pc;
        if (vmsk_kind(rule) != VMSK_ALIEN || n == 1)
            sure = n;
    } while (more && n < max);
    return sure;
}

VMOS_NOINLINE VMOS_UNCHECKED size_t vmsk_capture(void **pcs, size_t max, size_t skip)
{
    walk_t w;
    int keep = errno;
    uintptr_t text, etext;
    size_t n = 0;
    VMOS_REGS(&w.r);
    w.b.own = 1;
    w.signals = w.wild = 0;
    w.exact = 0;
    vmsk_module_own(&text, &etext);
    if (!VMOS_CALLER && text == etext)
        skip++;
    if (max > 0 && vmsk_bounds_find(&w.b, w.r.sp))
        n = follow(&w, pcs, max, skip, text, etext);
    errno = keep;
    return n;
}

/* From registers at an instruction, not at a return address. */
VMOS_UNCHECKED static size_t capture(void **pcs, size_t max, const vmos_regs_t *r, int own,
                                         int wild)
{
    walk_t w = {*r, {0, 0, own}, 0, r->pc + 1, wild};
    int keep = errno;
    size_t n = 1;
    if (max == 0)
        return 0;
    w.r.pc++;
    pcs[0] = (void *)w.r.pc;
    if (vmsk_bounds_find(&w.b, w.r.sp))
        n = follow(&w, pcs, max, 0, 0, 0);
    errno = keep;
    return n;
}

size_t vmsk_capture_regs(void **pcs, size_t max, uintptr_t pc, uintptr_t sp, uintptr_t fp,
                         uintptr_t lr)
{
    vmos_regs_t r = {pc, sp, fp, lr};
    return capture(pcs, max, &r, 0, 0);
}

size_t vmsk_capture_context(void **pcs, size_t max, const void *context)
{
    vmos_regs_t r;
    if (vmos_regs_of_context(&r, context) != 0)
        return 0;
    return capture(pcs, max, &r, 1, 0);
}

size_t vmsk_capture_jump(void **pcs, size_t max, const void *context)
{
    vmos_regs_t r;
    if (vmos_regs_of_context(&r, context) != 0)
        return 0;
    return capture(pcs, max, &r, 1, 1);
}
