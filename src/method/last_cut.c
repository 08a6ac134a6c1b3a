/* SPDX-License-Identifier: MIT */
/*
 * last_cut: the end of the current part: a block is cut there, changes its size, or goes.
 *
 * The last block is what may become BIG, or stop being it.  The stores come in an order (VMLA_ORDER) by which
 * vmla_torn() can tell how far a call came that was left by longjmp().
 *
 * Cost: a few instructions, and wiping the map ahead of the cursor, a byte for each 16.
 */
#include "last.h"

/* Wipe the map so that n bytes and some more can be cut. */
static void advance(vmla_t *st, size_t n)
{
    size_t step = VMB_MIN(VMLA_STEP, 4096 + (size_t)(st->next - st->cur->base));
    size_t room = (size_t)(st->cur->lim - st->next);
    char *end = st->next + VMB_MIN(room, n + VMB_DOWN(step, VM_ALIGN));

    if (end > st->end) {
        vmos_own(vmla_code(st->map, st->end), (size_t)(end - st->end) / VM_ALIGN);
        memset(vmla_code(st->map, st->end), 0, (size_t)(end - st->end) / VM_ALIGN);
        st->end = end;
    }
}

/* Let the last block be BIG with n bytes; what is wiped behind stays so. */
static void setbig(vmla_t *st, size_t n)
{
    unsigned char *code = vmla_code(st->map, st->last);
    vmla_big_t *big = vmla_bigof(st->map, st->last);

    vmla_log(st, code, (size_t)((char *)(big + 1) - (char *)code));
    vmla_log(st, st->cur, sizeof *st->cur);
    if (st->cur->big != st->last)
        big->prev = st->cur->big;
    big->n = n;
    VMLA_ORDER();
    st->cur->big = st->last;
    VMLA_ORDER();
    *code |= VMLA_ISBIG;
    VMLA_ORDER();
    st->next = st->last + n;
    if (st->end < st->next)
        st->end = st->next;
    vmla_note(st, n);
}

void *vmla_cut(vmla_t *st, size_t size)
{
    size_t n = vmla_round(size);

    if (n < VMLA_BIG) {
        advance(st, n);
        vmla_log(st, vmla_code(st->map, st->next), 1);
        return vmla_bump(st, size);
    }
    st->last = st->next;
    st->nbusy++;
    vmla_log(st, vmla_code(st->map, st->last), 1);
    *vmla_code(st->map, st->last) = (unsigned char)(VMLA_STARTS | (size & (VM_ALIGN - 1)));
    setbig(st, n);
    return st->last;
}

/* The last block, which was BIG, has n bytes and is not. */
static void unbig(vmla_t *st, unsigned char *code, size_t n)
{
    vmla_log(st, code + 1, n / VM_ALIGN - 1);
    st->next = st->last + n;
    VMLA_ORDER();
    st->cur->big = vmla_bigof(st->map, st->last)->prev;
    *code &= (unsigned char)~VMLA_ISBIG;
    VMLA_ORDER();
    vmos_own(code + 1, n / VM_ALIGN - 1);
    memset(code + 1, 0, n / VM_ALIGN - 1);
    st->end = st->next;
}

void vmla_setlast(vmla_t *st, size_t size)
{
    size_t n = vmla_round(size);
    unsigned char *code = vmla_code(st->map, st->last);
    int wasbig = *code & VMLA_ISBIG;

    vmla_log(st, code, 1);
    vmla_log(st, st->cur, sizeof *st->cur);
    if (wasbig && n < VMLA_BIG)
        unbig(st, code, n);
    else if (n < VMLA_BIG && st->last + n > st->next)
        advance(st, n - (size_t)(st->next - st->last));
    *code = (unsigned char)(VMLA_STARTS | (*code & VMLA_ISBIG) | (size & (VM_ALIGN - 1)));
    if (wasbig && st->last + n < st->next)
        st->end = st->last + n;
    if (n >= VMLA_BIG)
        setbig(st, n);
    st->next = st->last + n;
    vmla_note(st, n);
}

void vmla_uncut(vmla_t *st, char *p)
{
    unsigned char *code = vmla_code(st->map, p);
    char *below = *code & VMLA_ISBIG ? vmla_bigof(st->map, p)->prev : NULL;

    vmla_log(st, code, 1);
    st->next = p;
    VMLA_ORDER();
    if (*code & VMLA_ISBIG) {
        vmla_log(st, st->cur, sizeof *st->cur);
        st->cur->big = below;
        st->end = p;
    }
    VMLA_ORDER();
    *code = 0;
}
