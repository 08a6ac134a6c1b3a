/* SPDX-License-Identifier: MIT */
/*
 * Rules by address: a cache of two words a slot, filled from the unwind tables.  A new rule takes its slot, and
 * what was there the slot beside it.
 *
 *   slot:   | rule ^ (address | epoch << 48) | rule |
 *
 * Both words are written without a lock; a reader that gets halves of two writes finds that they
 * do not fit together, as in Hyatt and Mann, "A Lock-less Transposition Table Implementation for
 * Parallel Search Chess Engines" (2002).  The epoch makes all slots invalid at once.
 *
 * Where rules of a library that went could be taken for those of one that came to its place: when
 * the first address of the new one is looked up, the module is found to be another, and the epoch
 * ends.  Until then only an address that was cached for the old one can get a wrong rule, and a
 * wrong rule makes a wrong stack, never a fault.
 */
#include "walk.h"

#include <string.h>

vmsk_slot_t vmsk_cache[1u << VMSK_CACHEBITS] __attribute__((aligned(64)));
uint64_t vmsk_epoch = (uint64_t)1 << 48;

void vmsk_forget(void)
{
    __atomic_add_fetch(&vmsk_epoch, (uint64_t)1 << 48, __ATOMIC_ACQ_REL);
}

/* What the handler of a signal returns to is known by its instructions: its tables, if it has any,
 * are for where it was entered, but it never was. */
static int from_signal(const vmos_module_t *m, uintptr_t pc)
{
    uintptr_t text, etext;
    vmos_module_code(m, &text, &etext);
    return etext - text > 16 && pc - text < etext - text - 16 && vmos_is_sigreturn(pc);
}

static vmsk_rule_t in_module(const vmos_module_t *m, uintptr_t pc)
{
    vmsk_fde_t fde;
    vmsk_rule_t rule = 0;
    if (from_signal(m, pc))
        return vmsk_rule(VMSK_SIGNAL, 0, 0, 0, 0);
    if (VMOS_CFI && vmsk_fde_find(&fde, m, pc - 1) == 0)
        rule = vmsk_cfi_rule(&fde, pc - 1);
    return rule != 0 ? rule : vmsk_rule(VMSK_CHAIN, 0, 0, 0, 0);
}

static vmsk_rule_t in_none(uintptr_t pc)
{
    unsigned kind = vmos_readable(pc, 16) == 16 && vmos_is_sigreturn(pc) ? VMSK_SIGNAL : VMSK_ALIEN;
    return vmsk_rule(kind, 0, 0, 0, 0);
}

static void put(vmsk_slot_t *slot, uint64_t check, vmsk_rule_t rule)
{
    __atomic_store_n(&slot->check, check, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->rule, rule, __ATOMIC_RELAXED);
}

/* Rules are for the instruction that an entry lies in, which the byte before it is a part of. */
VMOS_COLD vmsk_rule_t vmsk_rule_find(uintptr_t pc)
{
    uint64_t epoch;
    vmos_module_t m;
    vmsk_rule_t rule;
    vmsk_slot_t *slot = vmsk_slot(pc);
    int noted = vmsk_module_note(&m, pc - 1);
    if (noted < 0)
        return in_none(pc);
    epoch = __atomic_load_n(&vmsk_epoch, __ATOMIC_ACQUIRE);
    rule = in_module(&m, pc);
    if (noted == 0) {
        vmsk_slot_t *beside = vmsk_slot_beside(slot);
        put(beside, __atomic_load_n(&slot->check, __ATOMIC_RELAXED), __atomic_load_n(&slot->rule, __ATOMIC_RELAXED));
        put(slot, rule ^ (pc | epoch), rule);
    }
    return rule;
}
