/* SPDX-License-Identifier: MIT */
/*
 * report: tells of an error in a line.
 */
#include "debug.h"

#include <errno.h>

vmdg_options_t vmdg_options = {
    .level = VMDG_FENCE,
    .exitcode = -1,
    .limit = 100,
    .depth = 16,
    .quarantine = (size_t)16 << 20,
    .age = 65536,
    .period = 100000,
};

static const char *const sentences[] = {
    [VMDG_PAST] = "access behind the end of a block",
    [VMDG_BEFORE] = "access before the start of a block",
    [VMDG_AFTERFREE] = "access to a freed block",
    [VMDG_WILD] = "access to memory that is not there",
    [VMDG_NULLUSED] = "the NULL of an allocation that was made to fail was used",
    [VMDG_UNINIT] = "a value never written was used as an address",
    [VMDG_OVERLAPCOPY] = "copy between ranges that overlap",
    [VMDG_DOUBLEFREE] = "double free",
    [VMDG_INSIDE] = "not a block: inside a block",
    [VMDG_NOBLOCK] = "not a block",
    [VMDG_FAMILY] = "freed by the wrong family of calls",
    [VMDG_REGION] = "freed in the wrong region",
    [VMDG_GONE] = "block of a region that was cleared or closed",
    [VMDG_SIZE] = "freed with a wrong size",
    [VMDG_ALIGN] = "freed with a wrong alignment",
    [VMDG_OVERFLOW] = "the size of an allocation overflowed",
    [VMDG_BADALIGN] = "an impossible alignment",
    [VMDG_NOMEMORY] = "no memory",
    [VMDG_CLOSEDTWICE] = "the region is closed",
    [VMDG_OVERLAP] = "the discipline gave memory twice",
    [VMDG_CANNOTFREE] = "this block cannot be freed",
    [VMDG_POOLSIZE] = "a pool has blocks of one size",
    [VMDG_WATCH] = "watched address",
    [VMDG_LEAK] = "never freed",
    [VMDG_STRUCTURE] = "the region is damaged",
};

VMOS_NOINLINE void vmdbwarn(void)
{
    __asm__ volatile("");
}

int vmdg_report(const vmdg_error_t *e)
{
    vmb_fault("%s: %s: address %p, block %p of %zu bytes, offset %ld%s%s", e->call ? e->call : "-",
              sentences[e->kind], (void *)(uintptr_t)e->addr, (void *)e->block.addr, e->block.size,
              e->offset, e->what ? ": " : "", e->what ? e->what : "");
    vmdbwarn();
    if (vmdg_options.abort)
        vmos_abort();
    return 1;
}
