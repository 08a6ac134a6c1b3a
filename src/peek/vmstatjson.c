/* SPDX-License-Identifier: MIT */
/*
 * vmstatjson: statistics as JSON, a line for each region, without allocation.
 *
 * Written as it goes: with all regions the list is locked meanwhile.
 */
#include "peek.h"

#include <errno.h>
#include <string.h>

typedef struct out {
    int fd, failed, count;
} out_t;

static void write(out_t *o, const vmb_out_t *text)
{
    if (!o->failed && vmos_write(o->fd, text->buf, text->len) != 0)
        o->failed = 1;
}

/* A string as JSON has it; what is no ASCII is passed on as it is. */
static void string(vmb_out_t *o, const char *name, const char *s)
{
    vmb_printf(o, ", \"%s\": \"", name);
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20)
            vmb_printf(o, "\\u%04x", (unsigned int)*s);
        else
            vmb_printf(o, "%s%c", *s == '"' || *s == '\\' ? "\\" : "", *s);
    vmb_printf(o, "\"");
}

static void numbers(vmb_out_t *o, const Vmstat_t *st)
{
    const struct {
        const char *name;
        size_t value;
    } member[] = {
        {"n_busy", st->n_busy},   {"s_busy", st->s_busy},     {"n_free", st->n_free},
        {"s_free", st->s_free},   {"m_busy", st->m_busy},     {"m_free", st->m_free},
        {"n_seg", st->n_seg},     {"extent", st->extent},     {"m_extent", st->m_extent},
        {"n_cache", st->n_cache}, {"s_cache", st->s_cache},   {"n_pack", st->n_pack},
        {"s_huge", st->s_huge},   {"n_lock", (size_t)st->n_lock},
        {"mode", (size_t)st->mode},
    };
    for (size_t i = 0; i < sizeof member / sizeof *member; i++)
        vmb_printf(o, ", \"%s\": %zu", member[i].name, member[i].value);
}

static const char *disciplinename(Vmalloc_t *vm)
{
    const char *name = vmr_dcname(vm);
    return name != NULL ? name : "";
}

static int tell(Vmalloc_t *vm, out_t *to)
{
    char buf[1536];
    Vmstat_t st;
    vmb_out_t o;
    if (vmstat(vm, &st) != 0)
        return -1;
    vmb_out_init(&o, buf, sizeof buf);
    vmb_printf(&o, "%s\n{\"region\": \"%p\"", to->count++ ? "," : "", (void *)vm);
    string(&o, "name", st.name[0] == '\0' && vm == Vmheap ? "Vmheap" : st.name);
    string(&o, "method", vm->meth.more->name);
    string(&o, "discipline", disciplinename(vm));
    numbers(&o, &st);
    vmb_printf(&o, "}");
    write(to, &o);
    return 0;
}

/* vmr_each() passes nothing on. */
static __thread out_t *current;

static void each(Vmalloc_t *vm)
{
    tell(vm, current);
}

static void head(out_t *to)
{
    char buf[64];
    vmb_out_t o;
    vmb_out_init(&o, buf, sizeof buf);
    vmb_printf(&o, "{\"pid\": %ld, \"regions\": [", vmos_pid());
    write(to, &o);
}

static void tail(out_t *to)
{
    char buf[8];
    vmb_out_t o;
    vmb_out_init(&o, buf, sizeof buf);
    vmb_printf(&o, "\n]}\n");
    write(to, &o);
}

int vmstatjson(Vmalloc_t *vm, int fd)
{
    out_t to = {fd, 0, 0};
    int r = 0;
    if (vm != NULL && vm != Vmheap && vm->data == NULL) {
        errno = EINVAL;
        return -1;
    }
    head(&to);
    if (vm != NULL) {
        r = tell(vm, &to);
    } else {
        current = &to;
        vmr_each(each);
    }
    tail(&to);
    return to.failed ? -1 : r;
}
