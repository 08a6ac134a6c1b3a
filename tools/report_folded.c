/* SPDX-License-Identifier: MIT */
/*
 * report_folded: a line for each stack, which flame graph programs read (flamegraph.pl, inferno,
 * speedscope, Grafana):
 *
 *   main;read_all;grow 4096
 *
 * Functions from the outermost on, then the measure that --by names.  Stacks that differ in lines
 * only come more than once: readers add them up.
 */
#include "report_trie.h"
#include "tool.h"

/* What separates functions and lines cannot stand in a name. */
static void put_name(FILE *out, const char *name)
{
    for (; *name; name++)
        fputc(*name == ';' ? ':' : (unsigned char)*name < ' ' ? ' ' : *name, out);
}

static void put_stack(const report_t *r, report_trie_t *t, size_t site, uint64_t value)
{
    char name[2048];
    size_t n, i;
    const uint32_t *frames = report_trie_stack(t, site, &n);

    for (i = 0; i < n; i++) {
        if (i > 0)
            fputc(';', r->out);
        put_name(r->out, report_function_text(report_trie_frame(t, frames[i]), name, sizeof(name)));
    }
    fprintf(r->out, " %llu\n", (unsigned long long)value);
}

int report_folded(report_t *r)
{
    const report_measure_t *by = r->by ? r->by : &report_measures[0];
    report_trie_t *t = report_trie_make(r->profile, r->names);
    size_t i;

    if (!t)
        return tool_fail(TOOL_CANNOT, "out of memory");
    for (i = 0; i < r->profile->nsites; i++) {
        uint64_t value = by->of(&r->profile->sites[i]);

        if (value > 0)
            put_stack(r, t, i, value);
    }
    report_trie_free(t);
    return 0;
}
