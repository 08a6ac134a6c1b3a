/* SPDX-License-Identifier: MIT */
/*
 * sentence: what happened and where, in one sentence.  The malloc interface uses the same ones for
 * what it finds without Vmdebug.
 *
 *   write past the end: 1 byte, 0 bytes behind a block of 24 bytes, found by free()
 *   free(0x7f0102030405): double free: block of 64 bytes
 */
#include "report.h"

static const char *const kinds[] = {
    [VMDG_PAST] = "past-end",
    [VMDG_BEFORE] = "before-start",
    [VMDG_AFTERFREE] = "after-free",
    [VMDG_WILD] = "wild",
    [VMDG_NULLUSED] = "null-used",
    [VMDG_UNINIT] = "uninitialised",
    [VMDG_OVERLAPCOPY] = "overlapping-copy",
    [VMDG_DOUBLEFREE] = "double-free",
    [VMDG_INSIDE] = "inside-block",
    [VMDG_NOBLOCK] = "not-a-block",
    [VMDG_FAMILY] = "wrong-family",
    [VMDG_REGION] = "wrong-region",
    [VMDG_GONE] = "region-gone",
    [VMDG_SIZE] = "wrong-size",
    [VMDG_ALIGN] = "wrong-alignment",
    [VMDG_OVERFLOW] = "size-overflow",
    [VMDG_BADALIGN] = "bad-alignment",
    [VMDG_NOMEMORY] = "no-memory",
    [VMDG_CLOSEDTWICE] = "region-closed",
    [VMDG_OVERLAP] = "discipline-overlap",
    [VMDG_CANNOTFREE] = "cannot-free",
    [VMDG_POOLSIZE] = "pool-size",
    [VMDG_WATCH] = "watch",
    [VMDG_LEAK] = "leak",
    [VMDG_STRUCTURE] = "structure",
};

const char *vmdg_kindname(vmdg_kind_t kind)
{
    return kinds[kind];
}

const char *vmdg_familyname(vmdg_family_t family)
{
    static const char *const names[] = {
        [VMDG_VM] = "vmalloc",
        [VMDG_MALLOC] = "malloc",
        [VMDG_MEMALIGN] = "memalign",
        [VMDG_ALIGNED] = "aligned_alloc",
        [VMDG_POSIX] = "posix_memalign",
        [VMDG_VALLOC] = "valloc",
        [VMDG_PVALLOC] = "pvalloc",
        [VMDG_NEW] = "new",
        [VMDG_NEWALIGN] = "new (aligned)",
        [VMDG_ARRAY] = "new[]",
        [VMDG_ARRAYALIGN] = "new[] (aligned)",
    };
    return names[family];
}

const char *vmdg_freename(vmdg_family_t family)
{
    static const char *const names[] = {
        [VMDG_VM] = "vmfree",
        [VMDG_MALLOC] = "free",
        [VMDG_MEMALIGN] = "free",
        [VMDG_ALIGNED] = "free",
        [VMDG_POSIX] = "free",
        [VMDG_VALLOC] = "free",
        [VMDG_PVALLOC] = "free",
        [VMDG_NEW] = "delete",
        [VMDG_NEWALIGN] = "delete (aligned)",
        [VMDG_ARRAY] = "delete[]",
        [VMDG_ARRAYALIGN] = "delete[] (aligned)",
    };
    return names[family];
}

void vmdg_bytes(vmb_out_t *o, size_t n)
{
    vmb_printf(o, "%zu byte%s", n, n == 1 ? "" : "s");
}

/* ---- accesses ---- */

static const char *verb(const vmdg_error_t *e)
{
    static const char *const verbs[] = {
        [VMDG_UNKNOWN] = "access", [VMDG_READ] = "read", [VMDG_WRITE] = "write", [VMDG_JUMP] = "jump"};
    return verbs[e->access];
}

/* " of 4 bytes", when that is known. */
static void of(vmb_out_t *o, const vmdg_error_t *e)
{
    if (e->length == 0)
        return;
    vmb_printf(o, " of ");
    vmdg_bytes(o, e->length);
}

/* Who looked, when it was not the access that showed. */
static void foundby(vmb_out_t *o, const vmdg_error_t *e)
{
    static const char *const occasions[] = {
        [VMDG_ATPERIOD] = "the check that runs along",
        [VMDG_ATDEMAND] = "vmdbcheck()",
        [VMDG_ATEVICT] = "the check of what was freed",
        [VMDG_ATEXIT] = "the check at the end",
        [VMDG_ATREGION] = "the region's end",
    };
    if (e->when == VMDG_ATACCESS)
        return;
    if (e->call != NULL)
        vmb_printf(o, ", found by %s()", e->call);
    else if (e->when >= VMDG_ATPERIOD)
        vmb_printf(o, ", found by %s", occasions[e->when]);
}

/* Where the access lies: "0 bytes behind a block of 24 bytes". */
static void place(vmb_out_t *o, const vmdg_error_t *e)
{
    const vmdg_block_t *b = &e->block;
    size_t off = (size_t)e->offset;
    const char *freed = b->state == VMDG_LIVE ? "a" : "a freed";
    if (b->addr == NULL) {
        vmb_printf(o, "at %p", (void *)(uintptr_t)e->addr);
        return;
    }
    if (e->offset < 0) {
        vmdg_bytes(o, (size_t)-e->offset);
        vmb_printf(o, " before %s block of ", freed);
    } else if (off >= b->size) {
        vmdg_bytes(o, off - b->size);
        vmb_printf(o, " behind %s block of ", freed);
    } else {
        vmb_printf(o, "at offset %zu of %s block of ", off, freed);
    }
    vmdg_bytes(o, b->size);
}

/* What a checked function prints was read elsewhere, nobody knows where: no address, no block. */
static int isprinted(const vmdg_error_t *e)
{
    return e->what != NULL && e->addr == NULL && (e->kind == VMDG_AFTERFREE || e->kind == VMDG_UNINIT);
}

static void printed(vmb_out_t *o, const vmdg_error_t *e)
{
    vmb_printf(o, "%s(): %s", e->call, e->kind == VMDG_AFTERFREE ? "use after free: " : "");
    if (e->given != 0)
        vmb_printf(o, "value %zu %s", e->given, e->what);
    else
        vmb_printf(o, "%s", e->what);
    vmb_printf(o, "%s", e->kind == VMDG_AFTERFREE ? " comes from a freed block" : " was never written");
}

static void access_of(vmb_out_t *o, const vmdg_error_t *e)
{
    if (e->when == VMDG_ATACCESS && e->call != NULL)
        vmb_printf(o, "%s(): ", e->call);
    if (e->kind == VMDG_AFTERFREE)
        vmb_printf(o, "use after free: %s", verb(e));
    else
        vmb_printf(o, "%s %s", verb(e), e->kind == VMDG_PAST ? "past the end:" : "before the start:");
    if (e->kind == VMDG_AFTERFREE)
        of(o, e);
    if (e->kind != VMDG_AFTERFREE && e->length != 0) {
        vmb_printf(o, " ");
        vmdg_bytes(o, e->length);
    }
    if (e->block.addr != NULL || e->addr != NULL) {
        vmb_printf(o, "%s", e->length != 0 || e->kind == VMDG_AFTERFREE ? ", " : " ");
        place(o, e);
    }
    foundby(o, e);
}

static void wild(vmb_out_t *o, const vmdg_error_t *e)
{
    static const char *const why[] = {
        [VMDG_WILD] = "which is not there",
        [VMDG_NULLUSED] = "the NULL of an allocation that was made to fail",
        [VMDG_UNINIT] = "a value that was never written, used as an address",
    };
    if (e->call != NULL)
        vmb_printf(o, "%s(): ", e->call);
    vmb_printf(o, "%s", verb(e));
    of(o, e);
    if (e->addr == NULL && e->what == NULL && e->kind == VMDG_WILD) {
        vmb_printf(o, " at an address that no memory can have");
        return;
    }
    vmb_printf(o, " %s %p, %s%s%s", e->access == VMDG_JUMP ? "to" : "at", (void *)(uintptr_t)e->addr,
               e->access == VMDG_JUMP && e->kind == VMDG_WILD ? "where no code is" : why[e->kind],
               e->what != NULL ? ": " : "", e->what != NULL ? e->what : "");
}

static void overlapcopy(vmb_out_t *o, const vmdg_error_t *e)
{
    vmb_printf(o, "%s(): copy between ranges that overlap", e->call != NULL ? e->call : "memcpy");
    if (e->length != 0)
        vmb_printf(o, ", ");
    if (e->length != 0)
        vmdg_bytes(o, e->length);
}

/* ---- calls ---- */

static void blockof(vmb_out_t *o, const vmdg_error_t *e)
{
    vmb_printf(o, "block of ");
    vmdg_bytes(o, e->block.size);
}

static void noblock(vmb_out_t *o, const vmdg_error_t *e)
{
    vmb_printf(o, "not a block: %s", e->what != NULL ? e->what : "no memory of malloc");
    if (e->object[0] != '\0')
        vmb_printf(o, " (%s)", e->object);
}

static void inside(vmb_out_t *o, const vmdg_error_t *e)
{
    vmb_printf(o, "not a block: inside a block, at offset %ld of %zu bytes at %p", e->offset,
               e->block.size, (void *)e->block.addr);
}

static void family(vmb_out_t *o, const vmdg_error_t *e)
{
    vmb_printf(o, "wrong family: ");
    blockof(o, e);
    vmb_printf(o, " comes from %s, which is given back by %s", vmdg_familyname(e->block.family),
               vmdg_freename(e->block.family));
}

/* A region's name, or its handle. */
static void region(vmb_out_t *o, uint32_t number)
{
    vmdg_region_t r;
    if (vmdg_region(number, &r) != 0)
        vmb_printf(o, "another region");
    else if (r.name[0] != '\0')
        vmb_printf(o, "region \"%s\"", r.name);
    else
        vmb_printf(o, "region %p", (void *)r.vm);
}

static void wrongregion(vmb_out_t *o, const vmdg_error_t *e)
{
    vmb_printf(o, "wrong region: ");
    blockof(o, e);
    vmb_printf(o, " of ");
    region(o, e->block.region);
    vmb_printf(o, ", given to ");
    region(o, e->region);
}

static void gone(vmb_out_t *o, const vmdg_error_t *e)
{
    if (e->when == VMDG_ATACCESS)
        vmb_printf(o, "%s in a ", verb(e));
    vmb_printf(o, "block of a region that was cleared or closed: ");
    vmdg_bytes(o, e->block.size);
}

static void overflow(vmb_out_t *o, const vmdg_error_t *e)
{
    if (e->wanted != 0)
        vmb_printf(o, "size overflow: %zu times ", e->given);
    else
        vmb_printf(o, "size overflow: %zu bytes, or %ld", e->given, (long)e->given);
    if (e->wanted != 0)
        vmdg_bytes(o, e->wanted);
}

static void numbers(vmb_out_t *o, const vmdg_error_t *e)
{
    switch (e->kind) {
    case VMDG_SIZE:
        vmb_printf(o, "wrong size: %zu given, the block has ", e->given);
        vmdg_bytes(o, e->wanted);
        break;
    case VMDG_ALIGN:
        vmb_printf(o, "wrong alignment: %zu given", e->given);
        if (e->wanted != 0)
            vmb_printf(o, ", %zu when it was allocated", e->wanted);
        break;
    case VMDG_BADALIGN:
        vmb_printf(o, "impossible alignment: %zu", e->given);
        break;
    case VMDG_NOMEMORY:
        vmb_printf(o, "no memory for ");
        vmdg_bytes(o, e->given);
        break;
    default:
        vmb_printf(o, "a pool has blocks of one size: %zu asked for, %zu before", e->given, e->wanted);
        break;
    }
}

static void rest(vmb_out_t *o, const vmdg_error_t *e)
{
    switch (e->kind) {
    case VMDG_CLOSEDTWICE:
        vmb_printf(o, "the region is closed");
        break;
    case VMDG_OVERLAP:
        vmb_printf(o, "the discipline gave memory twice: %zu bytes, where a ", e->given);
        blockof(o, e);
        vmb_printf(o, " lies");
        break;
    case VMDG_CANNOTFREE:
        vmb_printf(o, "this block cannot be freed: its region frees the last one only");
        break;
    case VMDG_WATCH:
        vmb_printf(o, "watched address: ");
        blockof(o, e);
        break;
    case VMDG_LEAK:
        vmb_printf(o, "never freed: ");
        blockof(o, e);
        break;
    default:
        vmb_printf(o, "the region is damaged");
        break;
    }
}

/* "free(0x7f...): ", or "calloc(): " of what has no address yet. */
static void called(vmb_out_t *o, const vmdg_error_t *e)
{
    if (e->call == NULL)
        return;
    if (e->addr != NULL && e->when != VMDG_ATACCESS)
        vmb_printf(o, "%s(%p): ", e->call, (void *)(uintptr_t)e->addr);
    else
        vmb_printf(o, "%s(): ", e->call);
}

typedef void part_f(vmb_out_t *o, const vmdg_error_t *e);

static void doublefree(vmb_out_t *o, const vmdg_error_t *e)
{
    vmb_printf(o, "%s: ", e->when == VMDG_ATRESIZE ? "freed before" : "double free");
    blockof(o, e);
}

static part_f *partof(vmdg_kind_t kind)
{
    static part_f *const parts[] = {
        [VMDG_DOUBLEFREE] = doublefree, [VMDG_INSIDE] = inside,    [VMDG_NOBLOCK] = noblock,
        [VMDG_FAMILY] = family,         [VMDG_REGION] = wrongregion, [VMDG_GONE] = gone,
        [VMDG_SIZE] = numbers,          [VMDG_ALIGN] = numbers,    [VMDG_OVERFLOW] = overflow,
        [VMDG_BADALIGN] = numbers,      [VMDG_NOMEMORY] = numbers, [VMDG_POOLSIZE] = numbers,
        [VMDG_STRUCTURE] = rest,
    };
    return parts[kind] != NULL ? parts[kind] : rest;
}

void vmdg_sentence(vmb_out_t *o, const vmdg_error_t *e)
{
    if (isprinted(e)) {
        printed(o, e);
    } else if (e->kind <= VMDG_AFTERFREE) {
        access_of(o, e);
    } else if (e->kind <= VMDG_UNINIT) {
        wild(o, e);
    } else if (e->kind == VMDG_OVERLAPCOPY) {
        overlapcopy(o, e);
    } else {
        called(o, e);
        partof(e->kind)(o, e);
    }
    if (e->detail != NULL)
        vmb_printf(o, ", %s", e->detail);
}
