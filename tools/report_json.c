/* SPDX-License-Identifier: MIT */
/*
 * report_json: all of a profile as one JSON object, for scripts.  Frames stand once, in an array;
 * stacks are arrays of indices into it.  Texts that are not UTF-8 have U+FFFD in place of what is
 * not.
 */
#include "report.h"

#include <string.h>

/* Bytes of the well-formed character at s, 0: it is none. */
static int utf8(const unsigned char *s)
{
    int n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3
          : s[0] >= 0xf0 && s[0] < 0xf5                   ? 4
                                                          : 0;
    int i;

    for (i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
        return 0;
    return n;
}

void report_put_text(FILE *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    int n;

    fputc('"', out);
    while (*s) {
        n = utf8(s);
        if (n == 0)
            fputs("\\ufffd", out);
        else if (*s < 0x20 || *s == '"' || *s == '\\' || *s == '<')
            fprintf(out, "\\u%04x", *s);
        else
            fwrite(s, 1, (size_t)n, out);
        s += n ? n : 1;
    }
    fputc('"', out);
}

static void put_string(FILE *out, const char *name, const char *text)
{
    fprintf(out, "\"%s\":", name);
    report_put_text(out, text);
}

static void put_number(FILE *out, const char *name, uint64_t x)
{
    fprintf(out, ",\"%s\":%llu", name, (unsigned long long)x);
}

static void put_bins(FILE *out, const char *name, const uint64_t *bins, int n)
{
    int i;

    fprintf(out, ",\"%s\":[", name);
    for (i = 0; i < n; i++)
        fprintf(out, "%s%llu", i ? "," : "", (unsigned long long)bins[i]);
    fputc(']', out);
}

static void put_process(const report_t *r)
{
    const Vmpfhead_t *h = &r->profile->head;

    fputs("\"process\":{", r->out);
    put_string(r->out, "command", r->profile->command);
    fputc(',', r->out);
    put_string(r->out, "exe", r->profile->exe);
    put_number(r->out, "pid", h->pid);
    put_number(r->out, "parent", h->parent);
    put_number(r->out, "started", h->started);
    put_number(r->out, "nanoseconds", h->now);
    put_number(r->out, "peak", h->peak);
    put_number(r->out, "peakblocks", h->peakblocks);
    put_number(r->out, "peaktime", h->peaktime);
    put_number(r->out, "period", h->mode == VMPF_SAMPLED ? h->period : 0);
    put_number(r->out, "near", h->nearby);
    put_number(r->out, "unused", h->unused);
    put_number(r->out, "missed", h->missed);
    put_number(r->out, "damaged", h->damaged);
    put_number(r->out, "unplaced", h->unplaced);
    fprintf(r->out, ",\"whole\":%s}", r->profile->whole ? "true" : "false");
}

static void put_figures(const report_t *r, const profile_site_t *s)
{
    put_number(r->out, "calls", s->calls);
    put_number(r->out, "bytes", s->bytes);
    put_number(r->out, "live", s->live);
    put_number(r->out, "livebytes", s->livebytes);
    put_number(r->out, "high", s->high);
    put_number(r->out, "highbytes", s->highbytes);
    put_number(r->out, "peakbytes", s->peakbytes);
    put_number(r->out, "short", s->shortlived);
    put_number(r->out, "slack", s->slack);
    if (r->profile->head.unused)
        put_number(r->out, "unused", s->unused);
    put_number(r->out, "resizes", s->resizes);
    put_number(r->out, "growth", s->growth);
    put_number(r->out, "copied", s->copied);
    put_number(r->out, "samples", s->samples);
    put_bins(r->out, "sizes", s->sizes, VMPF_NSIZES);
    put_bins(r->out, "lives", s->lives, VMPF_NLIVES);
}

static void put_site(const report_t *r, const profile_site_t *s)
{
    const profile_place_t *place = s->place >= 0 ? &r->profile->places[s->place] : NULL;
    size_t n, i;
    const uint32_t *frames = report_stack(r->names, s->stack, &n);

    fprintf(r->out, "{\"region\":%d,\"stack\":[", s->region);
    for (i = 0; i < n; i++)
        fprintf(r->out, "%s%u", i ? "," : "", frames[i]);
    fputc(']', r->out);
    if (place) {
        fputc(',', r->out);
        put_string(r->out, "file", place->file);
        put_number(r->out, "line", place->line);
    }
    put_figures(r, s);
    fputc('}', r->out);
}

static void put_frame(const report_t *r, const report_frame_t *f)
{
    fputc('{', r->out);
    put_string(r->out, "function", f->function);
    fputc(',', r->out);
    put_string(r->out, "file", f->file);
    fprintf(r->out, ",\"line\":%d,", f->line);
    put_string(r->out, "module", f->module);
    put_number(r->out, "offset", f->offset);
    fprintf(r->out, ",\"inlined\":%s}", f->inlined ? "true" : "false");
}

static void put_region(const report_t *r, const Vmpfregion_t *g)
{
    fputc('{', r->out);
    put_string(r->out, "name", g->name);
    fputc(',', r->out);
    put_string(r->out, "method", g->method);
    fputc(',', r->out);
    put_string(r->out, "discipline", g->discipline);
    put_number(r->out, "number", g->number);
    put_number(r->out, "times", g->times);
    put_number(r->out, "opened", g->opened);
    put_number(r->out, "extent", g->extent);
    put_number(r->out, "most", g->most);
    put_number(r->out, "busy", g->busy);
    put_number(r->out, "free", g->free_);
    put_number(r->out, "peak", g->flags & VMPF_MALLOC ? r->profile->head.peak : g->peak);
    fprintf(r->out, ",\"closed\":%s}", g->flags & VMPF_CLOSED ? "true" : "false");
}

static void put_times(const report_t *r)
{
    const Vmpftime_t *t = r->profile->times;
    size_t i;

    fputs(",\n\"times\":[", r->out);
    for (i = 0; i < r->profile->ntimes; i++)
        fprintf(r->out, "%s[%llu,%llu,%llu,%llu,%llu]", i ? ",\n" : "",
                (unsigned long long)t[i].time, (unsigned long long)t[i].live,
                (unsigned long long)t[i].blocks, (unsigned long long)t[i].most,
                (unsigned long long)t[i].resident);
    fputs("]", r->out);
}

static void put_complaints(const report_t *r)
{
    size_t i;

    fputs(",\n\"complaints\":[", r->out);
    for (i = 0; i < r->profile->ncomplaints; i++) {
        if (i)
            fputc(',', r->out);
        report_put_text(r->out, r->profile->complaints[i]);
    }
    fputs("]", r->out);
}

int report_json(report_t *r)
{
    const profile_t *p = r->profile;
    size_t i;

    fputc('{', r->out);
    put_process(r);
    fputs(",\n\"totals\":{\"sites\":", r->out);
    fprintf(r->out, "%zu", p->nsites);
    put_figures(r, &p->total);
    fputs("},\n\"regions\":[", r->out);
    for (i = 0; i < p->nregions; i++) {
        fputs(i ? ",\n" : "", r->out);
        put_region(r, &p->regions[i]);
    }
    fputs("],\n\"frames\":[", r->out);
    for (i = 0; i < report_nframes(r->names); i++) {
        fputs(i ? ",\n" : "", r->out);
        put_frame(r, report_frame(r->names, (uint32_t)i));
    }
    fputs("],\n\"sites\":[", r->out);
    for (i = 0; i < p->nsites; i++) {
        fputs(i ? ",\n" : "", r->out);
        put_site(r, &p->sites[i]);
    }
    fputs("]", r->out);
    put_times(r);
    put_complaints(r);
    fputs("}\n", r->out);
    return 0;
}
