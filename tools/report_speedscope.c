/* SPDX-License-Identifier: MIT */
/*
 * report_speedscope: the file of https://www.speedscope.app, which also runs without a network.
 * One profile in it for each measure; frames stand once.  Its schema:
 * https://www.speedscope.app/file-format-schema.json
 */
#include "report_trie.h"
#include "tool.h"

static void put_frames(FILE *out, const report_trie_t *t)
{
    size_t n = report_trie_nframes(t), i;
    char name[2048];

    fputs("\"shared\":{\"frames\":[", out);
    for (i = 0; i < n; i++) {
        const report_frame_t *f = report_trie_frame(t, (uint32_t)i);

        fputs(i ? ",\n{\"name\":" : "{\"name\":", out);
        report_put_text(out, report_function_text(f, name, sizeof(name)));
        if (*f->file) {
            fputs(",\"file\":", out);
            report_put_text(out, f->file);
        }
        if (f->line > 0)
            fprintf(out, ",\"line\":%d", f->line);
        fputc('}', out);
    }
    fputs("]}", out);
}

static void put_samples(const report_t *r, report_trie_t *t, const report_measure_t *m)
{
    size_t i, k, n;
    int some = 0;

    for (i = 0; i < r->profile->nsites; i++) {
        if (m->of(&r->profile->sites[i]) == 0)
            continue;
        const uint32_t *frames = report_trie_stack(t, i, &n);
        fputs(some++ ? ",[" : "[", r->out);
        for (k = 0; k < n; k++)
            fprintf(r->out, "%s%u", k ? "," : "", frames[k]);
        fputc(']', r->out);
    }
}

/* Returns the sum. */
static uint64_t put_weights(const report_t *r, const report_measure_t *m)
{
    uint64_t sum = 0, value;
    size_t i;

    for (i = 0; i < r->profile->nsites; i++) {
        value = m->of(&r->profile->sites[i]);
        if (value > 0)
            fprintf(r->out, "%s%llu", sum ? "," : "", (unsigned long long)value);
        sum += value;
    }
    return sum;
}

static void put_profile(const report_t *r, report_trie_t *t, const report_measure_t *m)
{
    uint64_t sum;

    fputs("{\"type\":\"sampled\",\"name\":", r->out);
    report_put_text(r->out, m->title);
    fprintf(r->out, ",\"unit\":\"%s\",\n\"samples\":[", m->bytes ? "bytes" : "none");
    put_samples(r, t, m);
    fputs("],\n\"weights\":[", r->out);
    sum = put_weights(r, m);
    fprintf(r->out, "],\"startValue\":0,\"endValue\":%llu}", (unsigned long long)sum);
}

int report_speedscope(report_t *r)
{
    report_trie_t *t = report_trie_make(r->profile, r->names);
    const report_measure_t *m;

    if (!t)
        return tool_fail(TOOL_CANNOT, "out of memory");
    fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
          "\"exporter\":\"vmalloc report\",\"name\":", r->out);
    report_put_text(r->out, r->profile->command);
    fputs(",\"activeProfileIndex\":0,\n", r->out);
    put_frames(r->out, t);
    fputs(",\n\"profiles\":[", r->out);
    for (m = report_measures; m->name; m++) {
        if (report_lacks(r->profile, m))
            continue;
        fputs(m == report_measures ? "" : ",\n", r->out);
        put_profile(r, t, m);
    }
    fputs("]}\n", r->out);
    report_trie_free(t);
    return 0;
}
