/* SPDX-License-Identifier: MIT */
/*
 * The rule at an address: the call frame instructions of a function's entry (DWARF 5, 6.4.2) are
 * carried out up to that address.  Of the registers only those are followed that a rule has: CFA,
 * return address, frame pointer.
 *
 * Expressions are understood in the forms that compilers and assemblers write for CFA:
 *
 *   breg FP, n; deref                      a stack that was aligned in the prologue
 *   breg SP, n; [deref]                    hand-written code
 *   breg SP, 8; breg PC, 0; lit15; and; lit K; ge; lit3; shl; plus      entries of a PLT; lit2 for words of 4 bytes
 *
 * Cost: a few bytes for each change of the frame before the address, under 1 us.
 */
#include "walk.h"
#include "cursor.h"

#define REMEMBERED 8 /* states that a program may stack up */

typedef struct saved {
    enum { SAME, UNDEFINED, AT_CFA, OTHER } how; /* OTHER: a way that no rule has */
    int64_t offset;                              /* of AT_CFA */
} saved_t;

typedef struct state {
    uint64_t reg;               /* CFA is reg + offset */
    int64_t offset;
    const unsigned char *expr, *expr_end; /* or, if not NULL, this */
    saved_t ra, fp;
} state_t;

typedef struct machine {
    const vmsk_fde_t *fde;
    uintptr_t addr, at; /* wanted, reached */
    state_t now, first;
    state_t stack[REMEMBERED];
    int depth, bad;
} machine_t;

enum { /* instructions; the first three have an operand in their lower six bits */
    ADVANCE = 0x40, OFFSET = 0x80, RESTORE = 0xc0,
    NOP = 0, SET_LOC, ADVANCE1, ADVANCE2, ADVANCE4, OFFSET_EXTENDED, RESTORE_EXTENDED, UNDEFINE,
    SAME_VALUE, REGISTER, REMEMBER, RESTORE_STATE, DEF_CFA, DEF_CFA_REGISTER, DEF_CFA_OFFSET,
    DEF_CFA_EXPRESSION, EXPRESSION, OFFSET_EXTENDED_SF, DEF_CFA_SF, DEF_CFA_OFFSET_SF, VAL_OFFSET,
    VAL_OFFSET_SF, VAL_EXPRESSION,
    NEGATE_RA_STATE = 0x2d, ARGS_SIZE = 0x2e, NEGATIVE_OFFSET = 0x2f
};

/* The register's place in the state, NULL when it is not followed. */
static saved_t *followed(const machine_t *m, state_t *s, uint64_t reg)
{
    if (reg == m->fde->ra)
        return &s->ra;
    return reg == VMOS_REG_FP ? &s->fp : NULL;
}

static void save(machine_t *m, uint64_t reg, int how, int64_t offset)
{
    saved_t *saved = followed(m, &m->now, reg);
    if (saved != NULL) {
        saved->how = how;
        saved->offset = offset;
    }
}

static void restore(machine_t *m, uint64_t reg)
{
    saved_t *saved = followed(m, &m->now, reg);
    if (saved != NULL)
        *saved = *followed(m, &m->first, reg);
}

static void define(machine_t *m, uint64_t reg, int64_t offset)
{
    m->now.reg = reg;
    m->now.offset = offset;
    m->now.expr = NULL;
}

static void remember(machine_t *m, int back)
{
    if (back ? m->depth == 0 : m->depth == REMEMBERED)
        m->bad = 1;
    else if (back)
        m->now = m->stack[--m->depth];
    else
        m->stack[m->depth++] = m->now;
}

/* Operands in units; what is out of all bounds is found when the rule is made. */
static int64_t scaled(uint64_t x, int64_t align)
{
    return (int64_t)(x * (uint64_t)align);
}

/* Instructions that say where a register is saved; 0: op is none of them. */
static int saving(machine_t *m, unsigned op, cursor_t *c)
{
    int64_t align = m->fde->data_align;
    uint64_t reg;
    if (op < OFFSET_EXTENDED || op == REMEMBER || op == RESTORE_STATE ||
        (op >= DEF_CFA && op <= DEF_CFA_EXPRESSION) || op == DEF_CFA_SF || op == DEF_CFA_OFFSET_SF)
        return 0;
    if ((op > VAL_EXPRESSION && op != NEGATIVE_OFFSET))
        return 0;
    reg = CURSOR_ULEB(c);
    switch (op) {
    case OFFSET_EXTENDED: save(m, reg, AT_CFA, scaled(CURSOR_ULEB(c), align)); break;
    case OFFSET_EXTENDED_SF: save(m, reg, AT_CFA, scaled(cursor_leb(c, 1), align)); break;
    case NEGATIVE_OFFSET: save(m, reg, AT_CFA, scaled(0 - CURSOR_ULEB(c), align)); break;
    case RESTORE_EXTENDED: restore(m, reg); break;
    case UNDEFINE: save(m, reg, UNDEFINED, 0); break;
    case SAME_VALUE: save(m, reg, SAME, 0); break;
    case EXPRESSION: case VAL_EXPRESSION:
        cursor_part(c, CURSOR_ULEB(c));
        save(m, reg, OTHER, 0);
        break;
    default: /* REGISTER, VAL_OFFSET, VAL_OFFSET_SF: one operand more */
        CURSOR_ULEB(c);
        save(m, reg, OTHER, 0);
    }
    return 1;
}

/* Instructions that say what CFA is; 0: op is none of them. */
static int defining(machine_t *m, unsigned op, cursor_t *c)
{
    int64_t align = m->fde->data_align;
    uint64_t reg;
    cursor_t expr;
    switch (op) {
    case DEF_CFA: reg = CURSOR_ULEB(c), define(m, reg, (int64_t)CURSOR_ULEB(c)); return 1;
    case DEF_CFA_SF:
        reg = CURSOR_ULEB(c);
        define(m, reg, scaled(cursor_leb(c, 1), align));
        return 1;
    case DEF_CFA_REGISTER: define(m, CURSOR_ULEB(c), m->now.offset); return 1;
    case DEF_CFA_OFFSET: define(m, m->now.reg, (int64_t)CURSOR_ULEB(c)); return 1;
    case DEF_CFA_OFFSET_SF: define(m, m->now.reg, scaled(cursor_leb(c, 1), align)); return 1;
    case DEF_CFA_EXPRESSION:
        expr = cursor_part(c, CURSOR_ULEB(c));
        m->now.expr = expr.p;
        m->now.expr_end = expr.end;
        return 1;
    default: return 0;
    }
}

static void other(machine_t *m, unsigned op, cursor_t *c)
{
    uint64_t align = m->fde->code_align;
    switch (op) {
    case NOP: case NEGATE_RA_STATE: break;
    case ADVANCE1: m->at += (uintptr_t)(cursor_fixed(c, 1) * align); break;
    case ADVANCE2: m->at += (uintptr_t)(cursor_fixed(c, 2) * align); break;
    case ADVANCE4: m->at += (uintptr_t)(cursor_fixed(c, 4) * align); break;
    case REMEMBER: remember(m, 0); break;
    case RESTORE_STATE: remember(m, 1); break;
    case ARGS_SIZE: CURSOR_ULEB(c); break;
    default: m->bad = 1; /* SET_LOC is not written by those who have advances */
    }
}

/* Until the end, or until the next instruction is for what comes behind the wanted address. */
static void run(machine_t *m, const unsigned char *p, const unsigned char *end)
{
    cursor_t c = {p, end, 0};
    while (cursor_left(&c) > 0 && !m->bad && m->at <= m->addr) {
        unsigned op = (unsigned)cursor_fixed(&c, 1), low = op & 0x3f;
        if ((op & 0xc0) == ADVANCE)
            m->at += (uintptr_t)(low * m->fde->code_align);
        else if ((op & 0xc0) == OFFSET)
            save(m, low, AT_CFA, scaled(CURSOR_ULEB(&c), m->fde->data_align));
        else if ((op & 0xc0) == RESTORE)
            restore(m, low);
        else if (!saving(m, op, &c) && !defining(m, op, &c))
            other(m, op, &c);
        m->bad |= c.bad;
    }
}

enum { DEREF = 0x06, AND = 0x1a, PLUS = 0x22, SHL = 0x24, GE = 0x2a, LIT0 = 0x30, BREG0 = 0x70 };

/* In a PLT the return address is one word deeper from instruction K of 16 bytes on. */
static int plt(cursor_t *c, uintptr_t addr, int64_t *offset)
{
    unsigned limit;
    if (cursor_left(c) != 9 || c->p[0] != BREG0 + VMOS_REG_RA || c->p[1] != 0 ||
        c->p[2] != LIT0 + 15 || c->p[3] != AND || c->p[5] != GE || c->p[6] != LIT0 + (VMSK_WORD > 4 ? 3 : 2) ||
        c->p[7] != SHL || c->p[8] != PLUS || c->p[4] < LIT0 || c->p[4] > LIT0 + 15)
        return 0;
    limit = c->p[4] - LIT0;
    if ((addr & 15) >= limit)
        *offset = (int64_t)((uint64_t)*offset + VMSK_WORD);
    return 1;
}

/* CFA of a state in the form of a rule: 0, or -1 when rules have no such form. */
static int cfa_of(const state_t *s, uintptr_t addr, unsigned *base, int64_t *offset)
{
    uint64_t reg = s->reg;
    int deref = 0;
    *offset = s->offset;
    if (s->expr != NULL) {
        cursor_t c = {s->expr, s->expr_end, 0};
        reg = cursor_fixed(&c, 1) - BREG0;
        *offset = CURSOR_SLEB(&c);
        if (!c.bad && cursor_left(&c) == 1 && c.p[0] == DEREF)
            deref = 1;
        else if (c.bad || (cursor_left(&c) != 0 && !plt(&c, addr, offset)))
            return -1;
    }
    if (reg != VMOS_REG_SP && reg != VMOS_REG_FP)
        return -1;
    if (deref && VMOS_CFA_BIAS != 0)
        return -1;
    *offset = (int64_t)((uint64_t)*offset - VMOS_CFA_BIAS);
    *base = reg == VMOS_REG_FP ? (deref ? VMSK_AT_FP : VMSK_FP) : (deref ? VMSK_AT_SP : VMSK_SP);
    return *offset < -(1 << 23) || *offset >= 1 << 23 ? -1 : 0;
}

/* Where a register is saved, in words from the caller's stack pointer: 0, or -1 when rules have no such form. */
static int place_of(const saved_t *saved, int *words)
{
    int64_t offset = (int64_t)((uint64_t)saved->offset + VMOS_CFA_BIAS);
    *words = VMSK_KEPT;
    if (saved->how == SAME || saved->how == UNDEFINED)
        return 0;
    if (saved->how != AT_CFA || offset % VMSK_WORD != 0 || offset / VMSK_WORD <= VMSK_KEPT ||
        offset / VMSK_WORD > 32767)
        return -1;
    *words = (int)(offset / VMSK_WORD);
    return 0;
}

vmsk_rule_t vmsk_cfi_rule(const vmsk_fde_t *fde, uintptr_t addr)
{
    machine_t m = {.fde = fde, .addr = addr, .at = fde->start};
    unsigned base;
    int64_t cfa;
    int ra, fp;
    if (fde->signal)
        return vmsk_rule(VMSK_SIGNAL, 0, 0, 0, 0);
    run(&m, fde->initial, fde->initial_end);
    m.first = m.now;
    run(&m, fde->program, fde->program_end);
    if (m.bad)
        return 0;
    if (m.now.ra.how == UNDEFINED)
        return vmsk_rule(VMSK_STOP, 0, 0, 0, 0);
    if (cfa_of(&m.now, addr, &base, &cfa) != 0 || place_of(&m.now.ra, &ra) != 0 ||
        place_of(&m.now.fp, &fp) != 0)
        return 0;
    return vmsk_rule(VMSK_FRAME, base, (int)cfa, ra, fp);
}
