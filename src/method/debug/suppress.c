/* SPDX-License-Identifier: MIT */
/*
 * suppress: errors that are not to be told, by kind and stack.
 *
 *   rule -> rule -> ...        rule: kinds, then patterns for frames, innermost first
 *
 * A pattern matches one frame, "..." any number of them, and what follows the last pattern does not
 * matter.  Matching is that of a text with stars: the last "..." takes one frame more each time what
 * follows it fails, so it takes frames times patterns at most.
 */
#include "suppress.h"

#include <string.h>

static vmdg_rule_t *first, **last = &first;
static char *area;
static size_t used;

#define AREA ((size_t)4 << 20)

void *vmdg_suppress_take(size_t n)
{
    if (area == NULL)
        area = vmos_map(NULL, AREA, VMOS_RESERVE);
    n = VMB_UP(n, sizeof(void *));
    if (area == NULL || n > AREA - used)
        return NULL;
    used += n;
    return area + used - n;
}

void vmdg_suppress_add(vmdg_rule_t *e)
{
    *last = e;
    last = &e->next;
}

void vmdg_suppress_reset(void)
{
    first = NULL;
    last = &first;
    used = 0;
}

int vmdg_glob(const char *pattern, size_t n, const char *text)
{
    size_t i = 0, star = (size_t)-1;
    const char *back = text;
    while (*text != '\0') {
        if (i < n && pattern[i] == '*') {
            star = i++;
            back = text;
        } else if (i < n && (pattern[i] == *text || pattern[i] == '?')) {
            i++;
            text++;
        } else if (star != (size_t)-1) {
            i = star + 1;
            text = ++back;
        } else {
            return 0;
        }
    }
    while (i < n && pattern[i] == '*')
        i++;
    return i == n;
}

/* ---- one frame ---- */

/* The file with its folder or without, with its line or without. */
static int source(const vmdg_pattern_t *p, const vmdg_frame_t *f)
{
    char text[512];
    const char *slash = strrchr(f->file, '/');
    vmb_out_t o;
    if (f->file[0] == '\0')
        return 0;
    vmb_out_init(&o, text, sizeof text);
    vmb_printf(&o, "%s:%u", slash != NULL ? slash + 1 : f->file, f->line);
    if (vmdg_glob(p->text, p->n, text) || vmdg_glob(p->text, p->n, f->file) ||
        (slash != NULL && vmdg_glob(p->text, p->n, slash + 1)))
        return 1;
    vmb_out_init(&o, text, sizeof text);
    vmb_printf(&o, "%s:%u", f->file, f->line);
    return vmdg_glob(p->text, p->n, text);
}

static int frame(const vmdg_pattern_t *p, const vmdg_frame_t *f)
{
    switch (p->what) {
    case VMDG_FUNCTION:
        return vmdg_glob(p->text, p->n, f->function);
    case VMDG_OBJECT:
        return vmdg_glob(p->text, p->n, f->object);
    case VMDG_SOURCE:
        return source(p, f);
    default:
        return vmdg_glob(p->text, p->n, f->function) || vmdg_glob(p->text, p->n, f->file) ||
               vmdg_glob(p->text, p->n, f->object);
    }
}

/* ---- all of them ---- */

static int stack(const vmdg_rule_t *e, const vmdg_trace_t *t)
{
    size_t i = 0, k = 0, dots = (size_t)-1, back = 0;
    while (i < e->n) {
        if (e->pattern[i].what == VMDG_DOTS) {
            dots = i++;
            back = k;
        } else if (k < t->n && frame(&e->pattern[i], &t->frame[k])) {
            i++;
            k++;
        } else if (dots != (size_t)-1 && back < t->n) {
            i = dots + 1;
            k = ++back;
        } else {
            return 0;
        }
    }
    return 1;
}

int vmdg_suppress_asks(vmdg_kind_t kind)
{
    const vmdg_rule_t *e = first;
    while (e != NULL && !(e->kinds >> kind & 1))
        e = e->next;
    return e != NULL;
}

int vmdg_suppressed(vmdg_kind_t kind, const vmdg_trace_t *t)
{
    for (vmdg_rule_t *e = first; e != NULL; e = e->next)
        if ((e->kinds >> kind & 1) && stack(e, t)) {
            e->times++;
            return 1;
        }
    return 0;
}

/* ---- one to be pasted ---- */

#define SOME 3 /* frames */

/* Spaces stay, since items end with ";": what would end one becomes "?". */
static void name(vmb_out_t *o, const char *what, const char *text)
{
    vmb_printf(o, " %s:", what);
    for (; *text != '\0'; text++)
        vmb_printf(o, "%c", strchr(";{}\n", *text) != NULL ? '?' : *text);
    vmb_printf(o, ";");
}

void vmdg_suppress_line(vmb_out_t *o, vmdg_kind_t kind, const vmdg_trace_t *t)
{
    vmb_printf(o, "{ %s;", vmdg_kindname(kind));
    for (size_t i = 0; i < t->n && i < SOME; i++) {
        if (t->frame[i].function[0] != '\0')
            name(o, "fun", t->frame[i].function);
        else
            name(o, "obj", t->frame[i].object[0] != '\0' ? t->frame[i].object : "*");
    }
    vmb_printf(o, " ... }");
}
