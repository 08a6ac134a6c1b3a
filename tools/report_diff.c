/* SPDX-License-Identifier: MIT */
/*
 * report_diff: what is different in one profile from another, as text.
 *
 * Stacks are the same where their functions are, in both profiles: lines and addresses change with
 * every build.  A stack is known by a hash of 64 bits of its functions' names; sums of a hash are
 * sorted by how much they grew.  Cost: n log n in the sites.
 */
#include "report.h"
#include "tool.h"

#include <stdlib.h>
#include <string.h>

#define CALLERS 6 /* functions of a stack that are shown */

typedef struct change {
    uint64_t key;
    uint64_t values[2], blocks[2];  /* before, now */
    const report_t *report;         /* one that has the stack */
    const profile_site_t *site;
} change_t;

/* ---- both profiles in one table ---- */

static uint64_t key_of(const report_t *r, const profile_site_t *s)
{
    size_t n, i;
    const uint32_t *frames = report_stack(r->names, s->stack, &n);
    uint64_t h = 7;
    char text[300];

    for (i = 0; i < n; i++) {
        const report_frame_t *f = report_frame(r->names, frames[i]);
        const char *c = f->function;

        if (!*c) {
            report_frame_place(f, text, sizeof(text));
            c = text;
        }
        for (; *c; c++)
            h = (h ^ (unsigned char)*c) * 0x100000001b3u;
        h = (h ^ '\n') * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    if (n == 0 && s->place >= 0) /* known by the source alone */
        h += (uint64_t)r->profile->places[s->place].line + 1;
    return h;
}

static void add_all(change_t *c, const report_t *r, int which, const report_measure_t *m)
{
    size_t i;

    for (i = 0; i < r->profile->nsites; i++, c++) {
        const profile_site_t *s = &r->profile->sites[i];

        c->key = key_of(r, s);
        c->values[which] = m->of(s);
        c->blocks[which] = m->blocks(s);
        c->report = r;
        c->site = s;
    }
}

static int by_key(const void *a, const void *b)
{
    const change_t *x = a, *y = b;

    return (x->key > y->key) - (x->key < y->key);
}

static size_t join(change_t *c, size_t n)
{
    size_t i, k = 0;
    int w;

    qsort(c, n, sizeof(*c), by_key);
    for (i = 0; i < n; i++) {
        if (k == 0 || c[k - 1].key != c[i].key) {
            c[k++] = c[i];
            continue;
        }
        for (w = 0; w < 2; w++) {
            c[k - 1].values[w] += c[i].values[w];
            c[k - 1].blocks[w] += c[i].blocks[w];
        }
    }
    return k;
}

/* Most growth first. */
static int by_growth(const void *a, const void *b)
{
    const change_t *x = a, *y = b;
    int64_t dx = (int64_t)(x->values[1] - x->values[0]);
    int64_t dy = (int64_t)(y->values[1] - y->values[0]);

    return (dx < dy) - (dx > dy);
}

/* ---- text ---- */

static const char *figure(char *to, uint64_t x, int bytes)
{
    return bytes ? report_bytes(to, x) : report_count(to, x);
}

static const char *signed_figure(char *to, uint64_t before, uint64_t now, int bytes)
{
    to[0] = now > before ? '+' : now < before ? '-' : ' ';
    figure(to + 1, now > before ? now - before : before - now, bytes);
    return to;
}

static void put_paint(const report_t *r, const char *code)
{
    if (r->colour)
        fprintf(r->out, "\033[%sm", code);
}

static void put_total(const report_t *r, const char *what, uint64_t before, uint64_t now, int bytes)
{
    char a[40], b[40], d[40];

    fprintf(r->out, "  %-14s %12s  -> %12s   ", what, figure(a, before, bytes),
            figure(b, now, bytes));
    put_paint(r, now > before ? "31" : now < before ? "32" : "2");
    fprintf(r->out, "%12s", signed_figure(d, before, now, bytes));
    if (before > 0)
        fprintf(r->out, "  %+.1f%%", 100 * ((double)now - (double)before) / (double)before);
    put_paint(r, "0");
    fputc('\n', r->out);
}

static void put_stack(const report_t *r, const change_t *c)
{
    size_t n, i;
    const uint32_t *frames = report_stack(c->report->names, c->site->stack, &n);
    char text[1024];

    for (i = 0; i < n && i < CALLERS; i++) {
        report_frame_text(report_frame(c->report->names, frames[i]), text, sizeof(text));
        fprintf(r->out, "%s%*s%s\n", i ? "" : "   ", i ? (int)(44 + i) : 0, "", text);
    }
    if (n > i)
        fprintf(r->out, "%*s... %zu more callers\n", (int)(44 + i), "", n - i);
    if (n == 0)
        fputs("   (unknown stack)\n", r->out);
}

static void put_change(const report_t *r, const change_t *c, const report_measure_t *m)
{
    char d[40], b[40];

    put_paint(r, c->values[1] > c->values[0] ? "31" : "32");
    fprintf(r->out, "  %12s", signed_figure(d, c->values[0], c->values[1], m->bytes));
    put_paint(r, "0");
    fprintf(r->out, "  %12s  %12s", m->bytes ? signed_figure(b, c->blocks[0], c->blocks[1], 0) : "",
            c->values[0] == 0 ? "new" : c->values[1] == 0 ? "gone" : "");
    put_stack(r, c);
}

static void put_list(const report_t *r, const change_t *c, size_t n, const report_measure_t *m)
{
    size_t i, up = 0, down = 0;

    fprintf(r->out, "\n%s: what grew\n", m->title);
    for (i = 0; i < n && up < r->top && c[i].values[1] > c[i].values[0]; i++, up++)
        put_change(r, &c[i], m);
    if (up == 0)
        fputs("  nothing\n", r->out);
    fprintf(r->out, "\n%s: what shrank\n", m->title);
    for (i = n; i > 0 && down < r->top && c[i - 1].values[1] < c[i - 1].values[0]; i--, down++)
        put_change(r, &c[i - 1], m);
    if (down == 0)
        fputs("  nothing\n", r->out);
}

static int put_measure(const report_t *r, const report_t *before, const report_measure_t *m)
{
    size_t n = before->profile->nsites + r->profile->nsites;
    change_t *c = calloc(n + 1, sizeof(*c));

    if (!c)
        return tool_fail(TOOL_CANNOT, "out of memory");
    add_all(c, before, 0, m);
    add_all(c + before->profile->nsites, r, 1, m);
    n = join(c, n);
    qsort(c, n, sizeof(*c), by_growth);
    put_list(r, c, n, m);
    free(c);
    return 0;
}

int report_diff(report_t *r, report_t *before)
{
    const profile_t *a = before->profile, *b = r->profile;
    int status;

    fprintf(r->out, "%s\n  before: %s, process %llu\n  now:    %s, process %llu\n\n", b->command,
            a->path, (unsigned long long)a->head.pid, b->path, (unsigned long long)b->head.pid);
    put_total(r, "most", a->head.peak, b->head.peak, 1);
    put_total(r, "not freed", a->total.livebytes, b->total.livebytes, 1);
    put_total(r, "asked for", a->total.bytes, b->total.bytes, 1);
    put_total(r, "blocks", a->total.calls, b->total.calls, 0);
    put_total(r, "short-lived", a->total.shortlived, b->total.shortlived, 0);
    put_total(r, "rounding", a->total.slack, b->total.slack, 1);
    if (a->head.unused && b->head.unused)
        put_total(r, "never written", a->total.unused, b->total.unused, 1);
    if (r->by)
        return put_measure(r, before, r->by);
    status = put_measure(r, before, report_measure("peak"));
    return status ? status : put_measure(r, before, report_measure("live"));
}
