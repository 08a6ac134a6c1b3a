/* SPDX-License-Identifier: MIT */
/*
 * Inside the room: rules, which say how to come from a frame to its caller's, and where they are
 * found.
 *
 * A rule is one word, so that it is read and written at once:
 *
 *   | fp: 16 | ra: 16 | cfa: 24 | 0: 3 | base: 2 | kind: 3 |
 *
 * CFA, the stack pointer of the caller, is base + cfa (or the word that lies there); the return
 * address and the caller's frame pointer lie ra and fp words from CFA.
 */
#ifndef VMSK_WALK_H
#define VMSK_WALK_H 1

#include "stack.h"
#include "os_stack.h"

typedef uint64_t vmsk_rule_t;

enum { /* kind; 0 is no rule */
    VMSK_FRAME = 1,  /* as drawn above */
    VMSK_SIGNAL = 2, /* the frame of a signal: registers are in its context */
    VMSK_STOP = 3,   /* the outermost frame */
    VMSK_CHAIN = 4,  /* code of a module that says nothing: try the frame pointer */
    VMSK_ALIEN = 5   /* code of no module: try the frame pointer */
};
enum { VMSK_SP = 0, VMSK_FP = 1, VMSK_AT_SP = 2, VMSK_AT_FP = 3 }; /* base */

#define VMSK_KEPT (-32768) /* for fp: it is still in its register; for ra: in the link register */

VMOS_INLINE vmsk_rule_t vmsk_rule(unsigned kind, unsigned base, int cfa, int ra, int fp)
{
    return kind | base << 3 | (vmsk_rule_t)((uint32_t)cfa & 0xffffffu) << 8 |
           (vmsk_rule_t)(uint16_t)ra << 32 | (vmsk_rule_t)(uint16_t)fp << 48;
}
VMOS_INLINE unsigned vmsk_kind(vmsk_rule_t r) { return r & 7; }
VMOS_INLINE unsigned vmsk_base(vmsk_rule_t r) { return r >> 3 & 3; }
VMOS_INLINE intptr_t vmsk_cfa(vmsk_rule_t r) { return (int32_t)r >> 8; }
VMOS_INLINE intptr_t vmsk_ra(vmsk_rule_t r) { return (int16_t)(r >> 32); }
VMOS_INLINE intptr_t vmsk_fp(vmsk_rule_t r) { return (int16_t)(r >> 48); }

#define VMSK_WORD ((int)sizeof(uintptr_t))

/* ---- unwind tables (fde.c, cfi.c) ---- */

/* What a function's entry in .eh_frame says; pointers into the module's memory. */
typedef struct vmsk_fde {
    uintptr_t start, end;              /* of the code */
    const unsigned char *initial, *initial_end; /* instructions of the CIE */
    const unsigned char *program, *program_end; /* and of the FDE */
    uint64_t code_align;
    int64_t data_align;
    unsigned ra;                       /* number of the register with the return address */
    int signal;                        /* the frame is that of a signal */
    int sized;                         /* entries have augmentation data, with their length */
} vmsk_fde_t;

/* The entry for addr by the table of m: 0, -1 none. */
int vmsk_fde_find(vmsk_fde_t *fde, const vmos_module_t *m, uintptr_t addr);
/* The rule at addr by an entry; 0: one that does not fit into a word. */
vmsk_rule_t vmsk_cfi_rule(const vmsk_fde_t *fde, uintptr_t addr);

/* ---- rules by address (rule.c) ---- */

#define VMSK_CACHEBITS 14

typedef struct vmsk_slot {
    uint64_t check; /* rule ^ (address | epoch << 48) */
    vmsk_rule_t rule;
} vmsk_slot_t;

extern vmsk_slot_t vmsk_cache[1u << VMSK_CACHEBITS] VMOS_HIDDEN; /* pairs */
extern uint64_t vmsk_epoch VMOS_HIDDEN; /* << 48; 0 stands for: not begun */

VMOS_INLINE vmsk_slot_t *vmsk_slot(uintptr_t pc)
{
    return &vmsk_cache[(uint64_t)pc * 0x9e3779b97f4a7c15u >> (64 - VMSK_CACHEBITS)];
}
/* The other one of its pair, in the same line of the cache: what was found before. */
VMOS_INLINE vmsk_slot_t *vmsk_slot_beside(vmsk_slot_t *slot)
{
    return (vmsk_slot_t *)(void *)((uintptr_t)slot ^ sizeof(*slot));
}
/* The rule for entry pc, found in the tables and kept. */
vmsk_rule_t vmsk_rule_find(uintptr_t pc);
/* The same, from the cache when it is there. */
VMOS_INLINE vmsk_rule_t vmsk_rule_at(uintptr_t pc, uint64_t epoch)
{
    vmsk_slot_t *slot = vmsk_slot(pc);
    vmsk_rule_t rule = __atomic_load_n(&slot->rule, __ATOMIC_RELAXED);
    uint64_t check = __atomic_load_n(&slot->check, __ATOMIC_RELAXED);
    if (VMOS_LIKELY((check ^ rule) == (pc | epoch)))
        return rule;
    slot = vmsk_slot_beside(slot);
    rule = __atomic_load_n(&slot->rule, __ATOMIC_RELAXED);
    check = __atomic_load_n(&slot->check, __ATOMIC_RELAXED);
    if (VMOS_LIKELY((check ^ rule) == (pc | epoch)))
        return rule;
    return vmsk_rule_find(pc);
}

/* ---- readable stack (bounds.c) ---- */

typedef struct vmsk_bounds {
    uintptr_t low, high; /* [low, high) can be read */
    int own;             /* of the calling thread */
} vmsk_bounds_t;

/* Bounds of the stack that sp lies in: 1, or 0 when sp is not readable. */
int vmsk_bounds_find(vmsk_bounds_t *b, uintptr_t sp);
/* Bounds of the calling thread's stack that were asked for before and stay: 1, or 0 for none. */
int vmsk_bounds_kept(vmsk_bounds_t *b);
/* Known bounds made wider, so that [addr, addr+size) is within: 1, or 0 if that cannot be. */
int vmsk_bounds_widen(vmsk_bounds_t *b, uintptr_t addr, size_t size);

/* ---- modules (module.c) ---- */

/* The module that addr lies in, noted if it is new: 0; -1 none; 1: not noted this time, or, with
 * m all zeros, no modules are known on this system. */
int vmsk_module_note(vmos_module_t *m, uintptr_t addr);
/* Code of this library, when it is a shared library of its own: else both are 0. */
void vmsk_module_own(uintptr_t *text, uintptr_t *etext);

#endif
