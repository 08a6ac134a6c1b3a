/* SPDX-License-Identifier: MIT */
/*
 * report_original: the original's lines, for tools that parse them (option format=original).
 *
 *   KIND:region=R:[block=B:]DETAIL:[allocated at=FILE,LINE:][detected at=FILE,LINE,FUNC:]
 *
 * R and B are hexadecimal without 0x; FUNC is 0.  Errors that the original does not know are told as
 * the nearest one that it does.
 */
#include "report.h"

/* Where a stack begins, by VMFL or by its names.  0, or -1 when that is not known. */
static int place(const vmdg_trace_t *t, vmdg_place_t *p)
{
    *p = t->place;
    if (p->file == NULL && t->n != 0 && t->frame[0].file[0] != '\0')
        *p = (vmdg_place_t){t->frame[0].file, (int)t->frame[0].line};
    return p->file != NULL ? 0 : -1;
}

static int isalloc(const vmdg_error_t *e)
{
    return e->kind == VMDG_OVERFLOW || e->kind == VMDG_BADALIGN || e->kind == VMDG_NOMEMORY ||
           e->kind == VMDG_POOLSIZE;
}

static int isgiven(const vmdg_error_t *e)
{
    return e->kind >= VMDG_DOUBLEFREE && e->kind <= VMDG_ALIGN;
}

static const char *kindof(const vmdg_error_t *e)
{
    if (e->kind == VMDG_WATCH)
        return "alert";
    if (isalloc(e))
        return e->when == VMDG_ATRESIZE ? "resize error" : "alloc error";
    if (isgiven(e) || e->kind == VMDG_CANNOTFREE)
        return e->when == VMDG_ATRESIZE ? "resize error" : "free error";
    return "corrupted data";
}

static void detail(vmb_out_t *o, const vmdg_error_t *e)
{
    if (e->kind == VMDG_WATCH)
        vmb_printf(o, "size=%zu:%s:", e->block.size, e->detail != NULL ? e->detail : "used");
    else if (isalloc(e))
        vmb_printf(o, "can't get memory:");
    else if (e->kind == VMDG_DOUBLEFREE || e->kind == VMDG_GONE)
        vmb_printf(o, "already freed:");
    else if (isgiven(e) || e->kind == VMDG_CANNOTFREE)
        vmb_printf(o, "unallocated block:");
    else
        vmb_printf(o, "bad byte at=%ld:", e->offset);
}

static const void *blockof(const vmdg_error_t *e)
{
    return isgiven(e) || e->block.addr == NULL ? e->addr : e->block.addr;
}

void vmdg_report_original(vmb_out_t *o, const vmdg_report_t *r)
{
    const vmdg_error_t *e = r->e;
    vmdg_region_t region;
    vmdg_place_t p;
    if (vmdg_region(e->region, &region) != 0 && vmdg_region(e->block.region, &region) != 0)
        region.vm = Vmregion;
    vmb_printf(o, "%s:region=%lx:", kindof(e), (unsigned long)(uintptr_t)region.vm);
    if (!isalloc(e))
        vmb_printf(o, "block=%lx:", (unsigned long)(uintptr_t)blockof(e));
    detail(o, e);
    if (!isgiven(e) && place(r->alloc, &p) == 0)
        vmb_printf(o, "allocated at=%s,%d:", p.file, p.line);
    if (place(r->at, &p) == 0)
        vmb_printf(o, "detected at=%s,%d,0:", p.file, p.line);
    vmb_printf(o, "\n");
}
