/* SPDX-License-Identifier: MIT */
/*
 * report_text: the report that people read.
 *
 *   vmalloc(PID): SENTENCE
 *     block of 24 bytes at 0x..., by malloc
 *     freed by free() in ...:       stack
 *     allocated in ...:             stack
 *     bytes:                        three rows
 *     intact at operation 17, broken at 23
 *     rerun with ...
 *     suppress with ...
 *
 * The first screen, 25 lines, has all that matters: stacks are cut to fit, JSON has them whole.
 */
#include "report.h"

#include <string.h>

#define SCREEN 25

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define PLAIN "\033[0m"

/* ---- stacks ---- */

static void frame(vmb_out_t *o, size_t i, const vmdg_frame_t *f)
{
    vmb_printf(o, "    #%-2zu %s", i, f->function[0] != '\0' ? f->function : "?");
    if (f->file[0] != '\0')
        vmb_printf(o, "  %s:%u%s", f->file, f->line, f->inlined ? " (inlined)" : "");
    else if (f->object[0] != '\0')
        vmb_printf(o, "  (%s+0x%lx)", f->object, (unsigned long)f->offset);
    else
        vmb_printf(o, "  (%p)", (void *)(uintptr_t)f->pc);
    vmb_printf(o, "\n");
}

void vmdg_text_trace(vmb_out_t *o, const vmdg_trace_t *t, size_t most)
{
    size_t n = t->n > most ? most - 1 : t->n;
    if (t->place.file != NULL && (t->n == 0 || t->frame[0].file[0] == '\0'))
        vmb_printf(o, "    noted there: %s:%d\n", t->place.file, t->place.line);
    for (size_t i = 0; i < n; i++)
        frame(o, i, &t->frame[i]);
    if (t->n - n + t->more != 0)
        vmb_printf(o, "    ... %zu more\n", t->n - n + t->more);
}

static void thread(vmb_out_t *o, uint32_t number)
{
    vmdg_thread_t t;
    if (number == vmdg_thisthread() && number == 0)
        return;
    vmdg_thread(number, &t);
    vmb_printf(o, ", in thread %u", number);
    if (t.name[0] != '\0')
        vmb_printf(o, " \"%s\"", t.name);
}

static void heading(vmb_out_t *o, const vmdg_report_t *r, const char *text, const char *call)
{
    vmb_printf(o, "  %s%s%s%s", r->colour ? BOLD : "", text, call != NULL ? call : "",
               call != NULL ? "()" : "");
    if (r->colour)
        vmb_printf(o, PLAIN);
}

static void stack(vmb_out_t *o, const vmdg_report_t *r, const char *text, const char *call,
                  uint32_t by, uint64_t op, const vmdg_trace_t *t, size_t most)
{
    if (t->n == 0 && t->place.file == NULL)
        return;
    heading(o, r, text, call);
    thread(o, by);
    if (op != 0)
        vmb_printf(o, ", operation %llu", (unsigned long long)op);
    vmb_printf(o, ":\n");
    vmdg_text_trace(o, t, most);
}

/* ---- the block ---- */

static void region(vmb_out_t *o, uint32_t number)
{
    vmdg_region_t g;
    if (vmdg_region(number, &g) != 0 || strcmp(g.name, "malloc") == 0)
        return;
    if (g.name[0] != '\0')
        vmb_printf(o, ", region \"%s\"", g.name);
    else
        vmb_printf(o, ", region %p", (void *)g.vm);
    if (!g.open)
        vmb_printf(o, " (closed)");
}

static void block(vmb_out_t *o, const char *text, const vmdg_block_t *b)
{
    static const char *const states[] = {
        [VMDG_NONE] = "", [VMDG_LIVE] = "", [VMDG_FREED] = ", freed",
        [VMDG_CLEARED] = ", gone when its region was cleared",
        [VMDG_CLOSED] = ", gone when its region was closed",
    };
    if (b->addr == NULL)
        return;
    vmb_printf(o, "  %s of ", text);
    vmdg_bytes(o, b->size);
    vmb_printf(o, " at %p, from %s", (void *)b->addr, vmdg_familyname(b->family));
    region(o, b->region);
    vmb_printf(o, "%s\n", states[b->state]);
}

/* ---- hints ---- */

static int byfence(const vmdg_error_t *e)
{
    return e->kind <= VMDG_AFTERFREE && e->when != VMDG_ATACCESS && e->block.addr != NULL;
}

static void window(vmb_out_t *o, const vmdg_error_t *e)
{
    if (!byfence(e))
        return;
    if (e->found != 0)
        vmb_printf(o, "  intact at operation %llu, found broken at %llu\n",
                   (unsigned long long)e->sound, (unsigned long long)e->found);
    vmb_printf(o, "  rerun with VMDEBUG=guard, or VMDEBUG=watch=alloc:%llu, to stop at the access itself\n",
               (unsigned long long)e->block.allocop);
}

static void suppress(vmb_out_t *o, const vmdg_report_t *r)
{
    vmb_printf(o, "  suppress with  ");
    vmdg_suppress_line(o, r->e->kind, r->at->n != 0 ? r->at : r->alloc);
    vmb_printf(o, "\n");
}

void vmdg_text_nohelper(vmb_out_t *o)
{
    if (vmdg_frames_nohelper())
        vmb_printf(o, "  few names and no lines: they come from the command vmalloc, beside the library or in PATH\n");
}

/* ---- all of it ---- */

static const char *verb(const vmdg_error_t *e)
{
    static const char *const ways[] = {[VMDG_UNKNOWN] = "accessed", [VMDG_READ] = "read",
                                       [VMDG_WRITE] = "written", [VMDG_JUMP] = "jumped"};
    if (e->kind <= VMDG_OVERLAPCOPY && e->when == VMDG_ATACCESS)
        return ways[e->access];
    return e->when == VMDG_ATPERIOD || e->when == VMDG_ATDEMAND ? "found" : "called";
}

/* Lines that a stack may have. */
static size_t share(const vmdg_report_t *r)
{
    size_t n = (r->at->n != 0) + (r->alloc->n != 0) + (r->freed->n != 0);
    size_t fixed = 9 + n;
    return n == 0 ? 0 : VMB_MAX((SCREEN - fixed) / n, (size_t)3);
}

void vmdg_report_text(vmb_out_t *o, const vmdg_report_t *r)
{
    const vmdg_error_t *e = r->e;
    const vmdg_block_t *b = &e->block;
    size_t most = share(r);
    vmb_printf(o, "%svmalloc(%ld): ", r->colour ? RED : "", vmos_pid());
    vmdg_sentence(o, e);
    vmb_printf(o, "%s\n", r->colour ? PLAIN : "");
    block(o, b->addr != NULL && (e->kind == VMDG_NOBLOCK || e->kind == VMDG_WILD) ? "nearest block" : "block",
          b);
    stack(o, r, e->call != NULL ? "in " : verb(e), e->call, e->thread, 0, r->at, most);
    stack(o, r, b->state == VMDG_CLEARED ? "cleared" : b->state == VMDG_CLOSED ? "closed" : "freed", NULL,
          b->freethread, b->freeop, r->freed, most);
    stack(o, r, "allocated", NULL, b->allocthread, b->allocop, r->alloc, most);
    if (byfence(e) || (e->kind <= VMDG_AFTERFREE && b->addr != NULL))
        vmdg_text_bytes(o, e, r->colour);
    block(o, "other block", &e->other);
    vmdg_text_nohelper(o);
    window(o, e);
    suppress(o, r);
}
