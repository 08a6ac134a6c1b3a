/* SPDX-License-Identifier: MIT */
/*
 * report_massif: the file of Valgrind's massif, for ms_print and massif-visualizer: about a hundred
 * snapshots of live bytes over time, of which the one at the peak and the last have trees.
 *
 *   n2: 7450 (heap allocation functions) malloc/new/new[], --alloc-fns, etc.
 *    n0: 6000 0x401136: read_body (leak.cpp:10)
 *    n0: 1450 in 5 places, all below massif's threshold (1.00%)
 */
#include "report.h"
#include "tool.h"

#define SNAPSHOTS 100
#define THRESHOLD 100 /* a hundredth of the whole */

/* ---- trees ---- */

static void put_blanks(FILE *out, int n)
{
    while (n-- > 0)
        fputc(' ', out);
}

static void put_frame(const report_t *r, const report_frame_t *f)
{
    char place[512];

    report_frame_place(f, place, sizeof(place));
    fprintf(r->out, "0x%llx: %s (%s)", (unsigned long long)f->offset,
            *f->function ? f->function : "???", place);
}

/* Callers of one node: the large ones each, the others together. */
static void put_callers(const report_t *r, const report_node_t *node, int depth, uint64_t least)
{
    const report_node_t *c;
    uint64_t rest = 0;
    unsigned shown = 0, small = 0;

    for (c = node->first; c; c = c->next) {
        if (c->value >= least) {
            shown++;
        } else {
            small++;
            rest += c->value;
        }
    }
    fprintf(r->out, "n%u: %llu ", shown + (small > 0), (unsigned long long)node->value);
    if (depth == 0)
        fputs("(heap allocation functions) malloc/new/new[], --alloc-fns, etc.", r->out);
    else
        put_frame(r, report_frame(r->names, node->frame));
    fputc('\n', r->out);
    for (c = node->first; c; c = c->next)
        if (c->value >= least) {
            put_blanks(r->out, depth + 1);
            put_callers(r, c, depth + 1, least);
        }
    if (small > 0) {
        put_blanks(r->out, depth + 1);
        fprintf(r->out, "n0: %llu in %u place%s, %sbelow massif's threshold (1.00%%)\n",
                (unsigned long long)rest, small, small > 1 ? "s" : "", small > 1 ? "all " : "");
    }
}

static int put_tree(const report_t *r, const char *kind, const char *measure)
{
    report_node_t *root = report_tree_make(r->profile, r->names, report_measure(measure));

    if (!root)
        return -1;
    fprintf(r->out, "heap_tree=%s\n", kind);
    put_callers(r, root, 0, root->value / THRESHOLD + 1);
    report_tree_free(root);
    return 0;
}

/* ---- snapshots ---- */

typedef struct moment {
    uint64_t time, live;
    const char *kind, *measure; /* NULL: it has no tree */
} moment_t;

static int put_moment(const report_t *r, unsigned number, const moment_t *m)
{
    fprintf(r->out, "#-----------\nsnapshot=%u\n#-----------\ntime=%llu\nmem_heap_B=%llu\n"
            "mem_heap_extra_B=0\nmem_stacks_B=0\n", number, (unsigned long long)(m->time / 1000000),
            (unsigned long long)m->live);
    if (m->kind)
        return put_tree(r, m->kind, m->measure);
    fputs("heap_tree=empty\n", r->out);
    return 0;
}

/* Every so-many-th record of time, the peak where it belongs, and the end. */
static int put_moments(const report_t *r)
{
    const profile_t *p = r->profile;
    size_t every = p->ntimes / SNAPSHOTS + 1, i;
    moment_t peak = {p->head.peaktime, p->head.peak, "peak", "peak"};
    moment_t end = {p->head.now, p->total.livebytes, "detailed", "live"};
    unsigned number = 0;
    int status = 0, past = 0;

    for (i = 0; i < p->ntimes && status == 0; i += every) {
        moment_t m = {p->times[i].time, p->times[i].live, NULL, NULL};

        if (!past && m.time > peak.time) {
            status = put_moment(r, number++, &peak);
            past = 1;
        }
        if (m.time < end.time && status == 0)
            status = put_moment(r, number++, &m);
    }
    if (!past && status == 0)
        status = put_moment(r, number++, &peak);
    return status == 0 ? put_moment(r, number, &end) : status;
}

/* In one line. */
static void put_command(FILE *out, const char *s)
{
    fputs("cmd: ", out);
    for (; *s; s++)
        fputc((unsigned char)*s < ' ' ? ' ' : *s, out);
    fputc('\n', out);
}

int report_massif(report_t *r)
{
    fputs("desc: vmalloc report --massif\n", r->out);
    put_command(r->out, r->profile->command);
    fputs("time_unit: ms\n", r->out);
    return put_moments(r) == 0 ? 0 : tool_fail(TOOL_CANNOT, "out of memory");
}
