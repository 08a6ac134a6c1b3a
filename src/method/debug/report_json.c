/* SPDX-License-Identifier: MIT */
/*
 * report_json: a report as one line of JSON, for tools.  Addresses are strings in hexadecimal; what is
 * not known is left out.
 */
#include "report.h"

#define MOST 512 /* letters of a name */

void vmdg_json_text(vmb_out_t *o, const char *s)
{
    const char *end = s + MOST;
    vmb_printf(o, "\"");
    for (; *s != '\0' && s < end; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            vmb_printf(o, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            vmb_printf(o, "\\u%04x", c);
        else
            vmb_printf(o, "%c", c);
    }
    vmb_printf(o, "\"");
}

static void field(vmb_out_t *o, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    vmb_printf(o, ",\"%s\":", name);
    vmdg_json_text(o, value);
}

static void number(vmb_out_t *o, const char *name, uint64_t value)
{
    if (value != 0)
        vmb_printf(o, ",\"%s\":%llu", name, (unsigned long long)value);
}

static void address(vmb_out_t *o, const char *name, const void *value)
{
    vmb_printf(o, ",\"%s\":\"%p\"", name, (void *)(uintptr_t)value);
}

/* A line holds what its buffer holds: deep stacks with long names are cut, and the line stays whole. */
static int room(const vmb_out_t *o)
{
    return o->size - o->len > 8 * MOST;
}

void vmdg_json_trace(vmb_out_t *o, const char *name, const vmdg_trace_t *t)
{
    if (t->n == 0)
        return;
    vmb_printf(o, ",\"%s\":[", name);
    for (size_t i = 0; i < t->n && room(o); i++) {
        const vmdg_frame_t *f = &t->frame[i];
        vmb_printf(o, "%s{\"pc\":\"%p\"", i != 0 ? "," : "", (void *)(uintptr_t)f->pc);
        field(o, "function", f->function);
        field(o, "file", f->file);
        number(o, "line", f->line);
        field(o, "object", f->object);
        vmb_printf(o, ",\"offset\":\"0x%lx\"", (unsigned long)f->offset);
        if (f->inlined)
            vmb_printf(o, ",\"inlined\":true");
        vmb_printf(o, "}");
    }
    vmb_printf(o, "]");
}

static void thread(vmb_out_t *o, const char *name, uint32_t n)
{
    vmdg_thread_t t;
    vmdg_thread(n, &t);
    vmb_printf(o, ",\"%s\":{\"number\":%u,\"tid\":%ld", name, n, t.tid);
    field(o, "name", t.name);
    vmb_printf(o, "}");
}

static void block(vmb_out_t *o, const char *name, const vmdg_block_t *b)
{
    static const char *const states[] = {"none", "live", "freed", "cleared", "closed"};
    vmdg_region_t r;
    if (b->addr == NULL)
        return;
    vmb_printf(o, ",\"%s\":{\"address\":\"%p\",\"size\":%zu,\"state\":\"%s\"", name, (void *)b->addr,
               b->size, states[b->state]);
    field(o, "family", vmdg_familyname(b->family));
    if (vmdg_region(b->region, &r) == 0)
        field(o, "region", r.name);
    number(o, "allocated", b->allocop);
    number(o, "freed", b->freeop);
    thread(o, "allocthread", b->allocthread);
    if (b->state != VMDG_LIVE)
        thread(o, "freethread", b->freethread);
    vmb_printf(o, "}");
}

static void bytes(vmb_out_t *o, const vmdg_error_t *e)
{
    if (e->nbytes == 0)
        return;
    vmb_printf(o, ",\"bytes\":\"");
    for (size_t i = 0; i < e->nbytes; i++)
        vmb_printf(o, "%02x", e->bytes[i]);
    vmb_printf(o, "\"");
}

static const char *occasion(vmdg_when_t when)
{
    static const char *const names[] = {
        [VMDG_ATACCESS] = "access", [VMDG_ATFREE] = "free",     [VMDG_ATRESIZE] = "resize",
        [VMDG_ATALLOC] = "alloc",   [VMDG_ATPERIOD] = "period", [VMDG_ATDEMAND] = "demand",
        [VMDG_ATEVICT] = "evict",   [VMDG_ATEXIT] = "exit",     [VMDG_ATREGION] = "region",
    };
    return names[when];
}

static void sentence(vmb_out_t *o, const vmdg_error_t *e)
{
    char text[512];
    vmb_out_t s;
    vmb_out_init(&s, text, sizeof text);
    vmdg_sentence(&s, e);
    field(o, "message", text);
}

void vmdg_report_json(vmb_out_t *o, const vmdg_report_t *r)
{
    static const char *const accesses[] = {"", "read", "write", "jump"};
    const vmdg_error_t *e = r->e;
    vmb_printf(o, "{\"pid\":%ld,\"number\":%u,\"kind\":\"%s\",\"when\":\"%s\"", vmos_pid(), r->number,
               vmdg_kindname(e->kind), occasion(e->when));
    field(o, "call", e->call);
    sentence(o, e);
    field(o, "access", accesses[e->access]);
    if (e->addr != NULL)
        address(o, "address", e->addr);
    number(o, "length", e->length);
    if (e->block.addr != NULL)
        vmb_printf(o, ",\"offset\":%ld", e->offset);
    number(o, "given", e->given);
    number(o, "wanted", e->wanted);
    number(o, "sound", e->sound);
    number(o, "found", e->found);
    bytes(o, e);
    thread(o, "thread", e->thread);
    block(o, "block", &e->block);
    block(o, "other", &e->other);
    vmdg_json_trace(o, "stack", r->at);
    vmdg_json_trace(o, "allocstack", r->alloc);
    vmdg_json_trace(o, "freestack", r->freed);
    vmb_printf(o, "}\n");
}
