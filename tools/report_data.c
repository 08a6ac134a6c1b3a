/* SPDX-License-Identifier: MIT */
/*
 * report_data: a profile as the JSON object that stands in the page of "vmalloc report --html".
 *
 * It is made to be small, for there are profiles with 100 000 stacks: texts stand once, stacks are
 * a tree, sites are columns.  The page's reader is tools/web/src/model.js.
 *
 *   measures   [name, title, 1: bytes] each
 *   texts      functions, files and modules; numbers below are indices into it
 *   frames     function, file, line, module, inlined, ... all in one array
 *   tree       parent, frame, ... of nodes 1, 2, ...; node 0 is the root
 *   sites      columns: node, region, each measure, size, life; the last two are arrays of
 *              bin, blocks, ... or 0
 *   times      columns: time in ms, live, blocks, most, resident
 *   segments   with cells in base64, a byte each: how full, of 255
 */
#include "report_page.h"
#include "report_trie.h"

#include <stdlib.h>
#include <string.h>

#define PUT(out, x) fprintf((out), "%llu", (unsigned long long)(x))

static void put_named(FILE *out, const char *name, uint64_t x)
{
    fprintf(out, ",\"%s\":%llu", name, (unsigned long long)x);
}

static void put_text(FILE *out, const char *name, const char *text)
{
    fprintf(out, ",\"%s\":", name);
    report_put_text(out, text);
}

/* ---- the program ---- */

static void put_program(const report_t *r)
{
    const Vmpfhead_t *h = &r->profile->head;

    fputs("\"format\":1", r->out);
    put_text(r->out, "path", r->profile->path);
    put_text(r->out, "exe", r->profile->exe);
    put_text(r->out, "command", r->profile->command);
    put_named(r->out, "pid", h->pid);
    put_named(r->out, "started", h->started / 1000000);
    put_named(r->out, "lasted", h->now / 1000000);
    put_named(r->out, "period", h->mode == VMPF_SAMPLED ? h->period : 0);
    put_named(r->out, "whole", r->profile->whole != 0);
    put_named(r->out, "why", h->why);
    put_named(r->out, "near", h->nearby);
    put_named(r->out, "unused", h->unused);
    put_named(r->out, "peak", h->peak);
    put_named(r->out, "peakblocks", h->peakblocks);
    put_named(r->out, "peaktime", h->peaktime / 1000000);
    put_named(r->out, "missed", h->missed);
    put_named(r->out, "damaged", h->damaged);
    put_named(r->out, "unplaced", h->unplaced);
}

static void put_total(const report_t *r)
{
    const profile_site_t *s = &r->profile->total;

    fprintf(r->out, ",\n\"total\":{\"calls\":%llu", (unsigned long long)s->calls);
    put_named(r->out, "bytes", s->bytes);
    put_named(r->out, "live", s->live);
    put_named(r->out, "livebytes", s->livebytes);
    put_named(r->out, "liveerror", profile_error(r->profile, s->livesamples));
    put_named(r->out, "byteserror", profile_error(r->profile, s->samples));
    put_named(r->out, "resizes", s->resizes);
    put_named(r->out, "looked", report_looked(r->profile, s));
    fputc('}', r->out);
}

static void put_complaints(const report_t *r)
{
    size_t i;

    fputs(",\n\"complaints\":[", r->out);
    for (i = 0; i < r->profile->ncomplaints; i++) {
        fputs(i ? "," : "", r->out);
        report_put_text(r->out, r->profile->complaints[i]);
    }
    fputc(']', r->out);
}

/* ---- texts and frames ---- */

typedef struct texts { /* each text once; numbers by a hash table */
    const char **texts;
    uint32_t *slots; /* number plus one */
    size_t n, mask;
} texts_t;

static uint32_t number_of(texts_t *t, const char *text)
{
    uint64_t h = 7;
    const char *s;
    size_t i;

    for (s = text; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    for (i = (size_t)(h ^ h >> 29) & t->mask; t->slots[i]; i = (i + 1) & t->mask)
        if (strcmp(t->texts[t->slots[i] - 1], text) == 0)
            return t->slots[i] - 1;
    t->texts[t->n] = text;
    t->slots[i] = (uint32_t)++t->n;
    return (uint32_t)t->n - 1;
}

/* Room for three texts of each frame. */
static int make_texts(texts_t *t, size_t frames)
{
    t->n = 0;
    for (t->mask = 15; t->mask < 6 * frames; t->mask = 2 * t->mask + 1)
        continue;
    t->texts = calloc(3 * frames + 1, sizeof(*t->texts));
    t->slots = calloc(t->mask + 1, sizeof(*t->slots));
    return t->texts && t->slots ? 0 : -1;
}

/* A function without a name is called by its module and address. */
static char **name_functions(const report_trie_t *t)
{
    size_t n = report_trie_nframes(t), i;
    char **names = calloc(n + 1, sizeof(*names)), text[1024];

    for (i = 0; names && i < n; i++) {
        const report_frame_t *f = report_trie_frame(t, (uint32_t)i);

        if (!*f->function)
            names[i] = strdup(report_function_text(f, text, sizeof(text)));
    }
    return names;
}

static void put_frames(FILE *out, const report_trie_t *t, texts_t *texts, char **names)
{
    size_t n = report_trie_nframes(t), i;

    fputs(",\n\"frames\":[", out);
    for (i = 0; i < n; i++) {
        const report_frame_t *f = report_trie_frame(t, (uint32_t)i);

        fprintf(out, "%s%u,%u,%d,%u,%d", i ? "," : "",
                number_of(texts, names[i] ? names[i] : f->function), number_of(texts, f->file),
                f->line, number_of(texts, f->module), f->inlined != 0);
    }
    fputs("],\n\"texts\":[", out);
    for (i = 0; i < texts->n; i++) {
        fputs(i ? "," : "", out);
        report_put_text(out, texts->texts[i]);
    }
    fputc(']', out);
}

static int put_names(FILE *out, const report_trie_t *t)
{
    size_t n = report_trie_nframes(t), i;
    char **names = name_functions(t);
    texts_t texts = {0};
    int status = names ? make_texts(&texts, n) : -1;

    if (status == 0)
        put_frames(out, t, &texts, names);
    free(texts.texts);
    free(texts.slots);
    for (i = 0; names && i < n; i++)
        free(names[i]);
    free(names);
    return status;
}

static void put_tree(FILE *out, const report_trie_t *t)
{
    size_t i;

    fputs(",\n\"tree\":[", out);
    for (i = 1; i < t->nsteps; i++)
        fprintf(out, "%s%u,%u", i > 1 ? "," : "", t->steps[i].parent, t->steps[i].frame);
    fputc(']', out);
}

/* ---- sites ---- */

static void put_measures(FILE *out)
{
    const report_measure_t *m;

    fputs(",\n\"measures\":[", out);
    for (m = report_measures; m->name; m++) {
        fputs(m == report_measures ? "[" : ",[", out);
        report_put_text(out, m->name);
        fputc(',', out);
        report_put_text(out, m->title);
        fprintf(out, ",%d]", m->bytes != 0);
    }
    fputc(']', out);
}

static uint64_t of_liveblocks(const profile_site_t *s)
{
    return s->live;
}

static void put_column(const report_t *r, const char *name, uint64_t (*of)(const profile_site_t *))
{
    size_t i;

    fprintf(r->out, ",\n\"%s\":[", name);
    for (i = 0; i < r->profile->nsites; i++) {
        fputs(i ? "," : "", r->out);
        PUT(r->out, of(&r->profile->sites[i]));
    }
    fputc(']', r->out);
}

static void put_bins(FILE *out, const uint64_t *bins, int n)
{
    int i, some = 0;

    for (i = 0; i < n; i++)
        if (bins[i]) {
            fprintf(out, "%s%d,%llu", some ? "," : "[", i, (unsigned long long)bins[i]);
            some = 1;
        }
    fputc(some ? ']' : '0', out);
}

static void put_sites(const report_t *r, const report_trie_t *t)
{
    const profile_t *p = r->profile;
    const report_measure_t *m;
    size_t i;

    fputs(",\n\"sites\":{\"node\":[", r->out);
    for (i = 0; i < p->nsites; i++)
        fprintf(r->out, "%s%u", i ? "," : "", t->ends[i]);
    fputs("],\n\"region\":[", r->out);
    for (i = 0; i < p->nsites; i++)
        fprintf(r->out, "%s%d", i ? "," : "", p->sites[i].region);
    fputc(']', r->out);
    for (m = report_measures; m->name; m++)
        put_column(r, m->name, m->of);
    put_column(r, "liveblocks", of_liveblocks);
    fputs(",\n\"size\":[", r->out);
    for (i = 0; i < p->nsites; i++) {
        fputs(i ? "," : "", r->out);
        put_bins(r->out, p->sites[i].sizes, VMPF_NSIZES);
    }
    fputs("],\n\"life\":[", r->out);
    for (i = 0; i < p->nsites; i++) {
        fputs(i ? "," : "", r->out);
        put_bins(r->out, p->sites[i].lives, VMPF_NLIVES);
    }
    fputs("]}", r->out);
}

/* ---- regions, times, segments ---- */

static void put_regions(const report_t *r)
{
    const profile_t *p = r->profile;
    size_t i;

    fputs(",\n\"regions\":[", r->out);
    for (i = 0; i < p->nregions; i++) {
        const Vmpfregion_t *g = &p->regions[i];

        fprintf(r->out, "%s{\"number\":%u", i ? ",\n" : "", g->number);
        put_text(r->out, "name", g->name);
        put_text(r->out, "method", g->method);
        put_text(r->out, "discipline", g->discipline);
        put_named(r->out, "closed", (g->flags & VMPF_CLOSED) != 0);
        put_named(r->out, "malloc", (g->flags & VMPF_MALLOC) != 0);
        put_named(r->out, "times", g->times);
        put_named(r->out, "extent", g->extent);
        put_named(r->out, "busy", g->busy);
        put_named(r->out, "free", g->free_);
        put_named(r->out, "cached", g->cached);
        put_named(r->out, "segments", g->segments);
        put_named(r->out, "most", g->most);
        put_named(r->out, "live", g->flags & VMPF_MALLOC ? p->head.live : g->live);
        put_named(r->out, "peak", g->flags & VMPF_MALLOC ? p->head.peak : g->peak);
        fputc('}', r->out);
    }
    fputc(']', r->out);
}

static void put_moments(const report_t *r, const char *name, size_t member, double unit)
{
    const profile_t *p = r->profile;
    uint64_t x;
    size_t i;

    fprintf(r->out, "%s\"%s\":[", member ? "," : "", name);
    for (i = 0; i < p->ntimes; i++) {
        memcpy(&x, (const char *)&p->times[i] + member, sizeof(x));
        fprintf(r->out, unit < 1 ? "%s%.3f" : "%s%.0f", i ? "," : "", (double)x * unit);
    }
    fputc(']', r->out);
}

static void put_times(const report_t *r)
{
    fputs(",\n\"times\":{", r->out);
    put_moments(r, "time", offsetof(Vmpftime_t, time), 1e-6);
    put_moments(r, "live", offsetof(Vmpftime_t, live), 1);
    put_moments(r, "blocks", offsetof(Vmpftime_t, blocks), 1);
    put_moments(r, "most", offsetof(Vmpftime_t, most), 1);
    put_moments(r, "resident", offsetof(Vmpftime_t, resident), 1);
    fputc('}', r->out);
}

static void put_base64(FILE *out, const unsigned char *s, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t i;

    for (i = 0; i < n; i += 3) {
        uint32_t x = (uint32_t)s[i] << 16 | (i + 1 < n ? (uint32_t)s[i + 1] << 8 : 0) |
                     (i + 2 < n ? s[i + 2] : 0);

        fputc(digits[x >> 18], out);
        fputc(digits[x >> 12 & 63], out);
        fputc(i + 1 < n ? digits[x >> 6 & 63] : '=', out);
        fputc(i + 2 < n ? digits[x & 63] : '=', out);
    }
}

static void put_segments(const report_t *r)
{
    const profile_t *p = r->profile;
    size_t i;

    fputs(",\n\"segments\":[", r->out);
    for (i = 0; i < p->nsegments; i++) {
        const profile_segment_t *s = &p->segments[i];

        fprintf(r->out, "%s{\"region\":%u", i ? ",\n" : "", s->region);
        put_text(r->out, "name", s->name);
        fprintf(r->out, ",\"addr\":\"%llx\"", (unsigned long long)s->addr);
        put_named(r->out, "extent", s->extent);
        put_named(r->out, "busy", s->busy);
        fputs(",\"cells\":\"", r->out);
        put_base64(r->out, s->cells, s->ncells);
        fputs("\"}", r->out);
    }
    fputc(']', r->out);
}

int report_put_data(report_t *r)
{
    report_trie_t *t = report_trie_make(r->profile, r->names);
    int status = -1;

    if (!t)
        return -1;
    fputc('{', r->out);
    put_program(r);
    put_total(r);
    put_complaints(r);
    put_measures(r->out);
    status = put_names(r->out, t);
    put_tree(r->out, t);
    put_sites(r, t);
    put_regions(r);
    put_times(r);
    put_segments(r);
    fputs("}\n", r->out);
    report_trie_free(t);
    return status;
}
