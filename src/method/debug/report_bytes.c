/* SPDX-License-Identifier: MIT */
/*
 * report_bytes: the bytes around the fault, 16 in a row, with the block and what was changed marked:
 *
 *     0x7f0102030410  c3  59 [41  41  41  41 ]00! d3  59 ...
 *
 * In front of a byte: "[" the block begins with it, "]" the block has ended; "!" behind it: it is not
 * what belongs there; "--": cannot be read.
 */
#include "report.h"

#include <string.h>

#define ROW 16
#define ROWS 3

int vmdg_damaged(const vmdg_block_t *b, const char *a, unsigned char now)
{
    if (b->addr == NULL)
        return 0;
    if (b->state == VMDG_LIVE)
        return ((a >= b->addr - VMDG_FRONT && a < b->addr) || (a >= b->addr + b->size && a < vmdg_end(b))) &&
               now != vmdg_fencebyte(b, a);
    return b->state == VMDG_FREED && a >= b->addr && a < b->addr + b->size && now != VMDG_FREEDBYTE;
}

/* What was at a when the error was found; -1: not to be read. */
static int byteat(const vmdg_error_t *e, const char *a)
{
    const char *from = e->addr;
    unsigned char c;
    if (e->nbytes != 0 && a >= from && a < from + e->nbytes)
        return e->bytes[a - from];
    return vmdg_peek(a, &c, 1) == 1 ? c : -1;
}

static char bracket(const vmdg_block_t *b, const char *a)
{
    if (b->addr != NULL && a == b->addr)
        return '[';
    return b->addr != NULL && a == b->addr + b->size ? ']' : ' ';
}

static void row(vmb_out_t *o, const vmdg_error_t *e, const char *a, int colour)
{
    char text[ROW + 1];
    vmb_printf(o, "    %p ", (void *)(uintptr_t)a);
    for (int i = 0; i < ROW; i++) {
        int c = byteat(e, a + i);
        int bad = c >= 0 && vmdg_damaged(&e->block, a + i, (unsigned char)c);
        text[i] = c >= ' ' && c < 127 ? (char)c : '.';
        vmb_printf(o, "%c%s", bracket(&e->block, a + i), bad && colour ? "\033[1;31m" : "");
        if (c >= 0)
            vmb_printf(o, "%02x%c", (unsigned)c, bad ? '!' : ' ');
        else
            vmb_printf(o, "-- ");
        if (bad && colour)
            vmb_printf(o, "\033[0m");
    }
    text[ROW] = '\0';
    vmb_printf(o, " %s\n", text);
}

static int readable(const vmdg_error_t *e, const char *a)
{
    return byteat(e, a) >= 0 || byteat(e, a + ROW - 1) >= 0;
}

void vmdg_text_bytes(vmb_out_t *o, const vmdg_error_t *e, int colour)
{
    const char *at = (const char *)VMB_DOWN(e->addr, ROW);
    int shown = 0;
    if ((uintptr_t)at < ROW)
        return;
    at -= ROW;
    for (int i = 0; i < ROWS; i++, at += ROW) {
        if (!readable(e, at))
            continue;
        if (!shown++)
            vmb_printf(o, "  bytes: [ block, ] its end, ! changed\n");
        row(o, e, at, colour);
    }
}
