/* SPDX-License-Identifier: MIT */
/*
 * report_text: a profile for reading on a terminal: a summary, then lists of the sites that matter
 * most by each measure, with those that called them below.
 *
 *   52.8%    977 KiB     1 000  leak  work.c:5
 *                                 main  work.c:9
 *
 * Callers that only pass on what one function asked for have no figures of their own.  Where a
 * function was called from several, those with a tenth of it or more are shown.  What is beyond
 * main() is not.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH 12  /* callers shown of a site */
#define SMALL 10  /* a branch of less than one in so many is left out */
#define TINY 50   /* and one of less than one in so many of the whole list */
#define TRIFLE 200 /* nor a site of less than one in so many, unless more was asked for */
#define MANY 1000 /* resizes that are worth a list */
#define LISTS 4   /* lists when no measure was asked for: the first ones of the table */

/* ---- colours ---- */

static const char *on(const report_t *r, const char *colour)
{
    return r->colour ? colour : "";
}

#define BOLD(r) on(r, "\033[1m")
#define DIM(r) on(r, "\033[2m")
#define GREEN(r) on(r, "\033[32m")
#define PLAIN(r) on(r, "\033[0m")

/* ---- the summary ---- */

static double share(uint64_t part, uint64_t whole)
{
    return 100 * (double)part / (whole > 0 ? (double)whole : 1);
}

static void print_line(const report_t *r, const char *what, const char *text)
{
    fprintf(r->out, "  %-13s%s\n", what, text);
}

static const char *how_it_ended(const profile_t *p)
{
    static const char *const why[] = {"still running, or ended without notice", "at its end",
                                      "at a call of the program", "at a signal", "at an interval"};

    return why[p->head.why < sizeof(why) / sizeof(*why) ? p->head.why : 0];
}

static void print_head(const report_t *r)
{
    const profile_t *p = r->profile;
    char text[300], a[32];

    fprintf(r->out, "%s%s%s\n", BOLD(r), *p->command ? p->command : p->exe, PLAIN(r));
    snprintf(text, sizeof(text), "%llu, %s, after %s", (unsigned long long)p->head.pid,
             how_it_ended(p), report_time(a, p->head.now));
    print_line(r, "process", text);
    if (p->head.mode == VMPF_SAMPLED) {
        snprintf(text, sizeof(text),
                 "one block in %s on average, %llu in all: figures are estimates",
                 report_bytes(a, p->head.period), (unsigned long long)p->total.samples);
        print_line(r, "samples", text);
        if (p->head.exact > 0) {
            snprintf(text, sizeof(text), "the first %s blocks, one and all",
                     report_count(a, p->head.exact));
            print_line(r, "before that", text);
        }
    }
}

/* " +- 2 MiB" of a sampled figure. */
static const char *margin(const report_t *r, uint64_t samples, char *to, size_t size)
{
    char a[32];

    to[0] = '\0';
    if (r->profile->head.mode == VMPF_SAMPLED)
        snprintf(to, size, " (+- %s)", report_bytes(a, profile_error(r->profile, samples)));
    return to;
}

static void print_most(const report_t *r)
{
    const Vmpfhead_t *h = &r->profile->head;
    char text[300], a[32], b[32], c[32];

    snprintf(text, sizeof(text), "%s in %s blocks, after %s", report_bytes(a, h->peak),
             report_count(b, h->peakblocks), report_time(c, h->peaktime));
    print_line(r, "most", text);
}

static void print_unused(const report_t *r, const profile_site_t *t)
{
    char text[300], a[32];

    snprintf(text, sizeof(text), "%s, %.1f%% of what was asked for, were never written%s",
             report_bytes(a, t->unused), share(t->unused, report_looked(r->profile, t)),
             r->profile->head.unused == 1 ? ", in blocks that are gone" : "");
    print_line(r, "unused", text);
}

static void print_totals(const report_t *r)
{
    const profile_site_t *t = &r->profile->total;
    char text[300], a[32], b[32], c[64];
    double all = t->calls > 0 ? (double)t->calls : 1;

    snprintf(text, sizeof(text), "%s in %s blocks%s", report_bytes(a, t->livebytes),
             report_count(b, t->live), margin(r, t->livesamples, c, sizeof(c)));
    print_line(r, r->profile->whole ? "not freed" : "live", text);
    snprintf(text, sizeof(text), "%s in %s blocks%s", report_bytes(a, t->bytes),
             report_count(b, t->calls), margin(r, t->samples, c, sizeof(c)));
    print_line(r, "asked for", text);
    snprintf(text, sizeof(text), "%.1f%% of blocks were freed before %u more were asked for",
             100 * (double)t->shortlived / all, r->profile->head.nearby);
    print_line(r, "short-lived", text);
    snprintf(text, sizeof(text), "%s, %.1f%% of what was asked for", report_bytes(a, t->slack),
             100 * (double)t->slack / (t->bytes > 0 ? (double)t->bytes : 1));
    print_line(r, "rounding", text);
    if (r->profile->head.unused)
        print_unused(r, t);
    snprintf(text, sizeof(text), "%s%s, %s larger in all, %s copied",
             report_lacks(r->profile, report_measure("resizes")) ? "at least " : "",
             report_count(a, t->resizes), report_bytes(b, t->growth), report_bytes(c, t->copied));
    if (t->resizes > 0)
        print_line(r, "resizes", text);
}

static void print_resident(const report_t *r)
{
    const profile_t *p = r->profile;
    uint64_t most = 0;
    char a[32];
    size_t i;

    for (i = 0; i < p->ntimes; i++)
        most = p->times[i].resident > most ? p->times[i].resident : most;
    if (most > 0)
        print_line(r, "resident", report_bytes(a, most));
}

static void print_warnings(const report_t *r)
{
    const profile_t *p = r->profile;
    size_t i;

    for (i = 0; i < p->ncomplaints; i++)
        fprintf(r->out, "  ! %s\n", p->complaints[i]);
    if (p->head.missed > 0)
        fprintf(r->out, "  ! %llu calls came in signal handlers, and are not counted\n",
                (unsigned long long)p->head.missed);
    if (p->head.damaged > 0)
        fprintf(r->out,
                "  ! %llu blocks were written beyond their end: they count as not freed; VMDEBUG=1 "
                "finds out where\n",
                (unsigned long long)p->head.damaged);
    if (p->head.unplaced > 0)
        fprintf(r->out, "  ! %llu blocks have no stack: option memory= gives room for more\n",
                (unsigned long long)p->head.unplaced);
}

/* ---- regions ---- */

static void print_region(const report_t *r, size_t i)
{
    const Vmpfregion_t *g = &r->profile->regions[i];
    profile_site_t sum;
    char a[32], b[32], c[32], name[80];
    size_t k;

    memset(&sum, 0, sizeof(sum));
    for (k = 0; k < r->profile->nsites; k++)
        if (r->profile->sites[k].region == (int)i)
            profile_add(&sum, &r->profile->sites[k]);
    if (g->flags & VMPF_CLOSED)
        snprintf(name, sizeof(name), "%s (%llu closed)", *g->name ? g->name : "-",
                 (unsigned long long)g->times);
    else
        snprintf(name, sizeof(name), "%s", *g->name ? g->name : "-");
    fprintf(r->out, "  %-26s %-10s %-10s %10s %10s %14s\n", name, g->method, g->discipline,
            report_bytes(a, g->flags & VMPF_MALLOC ? r->profile->head.peak : g->peak),
            report_bytes(b, sum.livebytes), report_count(c, sum.calls));
}

static void print_regions(const report_t *r)
{
    size_t i;

    if (r->profile->nregions < 2)
        return;
    fprintf(r->out, "\n%s  %-26s %-10s %-10s %10s %10s %14s%s\n", BOLD(r), "region", "method",
            "discipline", "most", "live", "blocks", PLAIN(r));
    for (i = 0; i < r->profile->nregions && i < r->top; i++)
        print_region(r, i);
    if (i < r->profile->nregions)
        fprintf(r->out, "  and %zu more\n", r->profile->nregions - i);
}

/* ---- lists ---- */

static const char *value(const report_measure_t *m, uint64_t x, char *to)
{
    return m->bytes ? report_bytes(to, x) : report_count(to, x);
}

/* What called it is of no interest. */
static int is_start(const report_frame_t *f)
{
    static const char *const starts[] = {"main", "start_thread", "__clone", "clone", "_start"};
    size_t i;

    for (i = 0; i < sizeof(starts) / sizeof(*starts); i++)
        if (strcmp(f->function, starts[i]) == 0)
            return 1;
    return 0;
}

/* Callers below a node; those who pass all on stand without figures. */
static void print_callers(const report_t *r, const report_measure_t *m, const report_node_t *node,
                          uint64_t whole, int depth)
{
    char text[400], a[32];
    const report_node_t *c;

    if (is_start(report_frame(r->names, node->frame)))
        return;
    for (c = node->first; c && depth < DEPTH; c = c->next) {
        if ((c->value * SMALL < node->value || c->value * TINY < whole) && c != node->first)
            break;
        report_frame_text(report_frame(r->names, c->frame), text, sizeof(text));
        if (c->value == node->value)
            fprintf(r->out, "%35s%*s%s%s%s\n", "", depth, "", DIM(r), text, PLAIN(r));
        else
            fprintf(r->out, "  %s%5.1f%% %10s%s %15s%*s%s\n", DIM(r),
                    share(c->value, whole), value(m, c->value, a), PLAIN(r), "",
                    depth, "", text);
        print_callers(r, m, c, whole, depth + (node->first->next ? 2 : 1));
    }
}

/* What the line came through. */
static void print_through(const report_t *r, const report_node_t *node)
{
    const char *between = "   through ";

    for (; node && node->parent; node = node->parent, between = ", ")
        fprintf(r->out, "%s%s%s%s", DIM(r), between, report_frame(r->names, node->frame)->function,
                PLAIN(r));
}

static void print_node(const report_t *r, const report_measure_t *m, const report_node_t *node,
                       uint64_t whole)
{
    char text[400], a[32], b[32];

    report_frame_text(report_frame(r->names, node->frame), text, sizeof(text));
    fprintf(r->out, "  %s%5.1f%%%s %10s %13s   %s%s%s", GREEN(r), share(node->value, whole), PLAIN(r),
            value(m, node->value, a), m->bytes ? report_count(b, node->blocks) : "", BOLD(r), text,
            PLAIN(r));
    if (m->whole && m->bytes)
        fprintf(r->out, "   %.0f%% of %s asked for", share(node->value, node->whole),
                report_bytes(a, node->whole));
    else if (m->whole)
        fprintf(r->out, "   larger by %s each", report_bytes(a, node->whole / node->value));
    print_through(r, node->parent);
    fputc('\n', r->out);
    print_callers(r, m, node, whole, 2);
}

/* In --inner a line is the function that asked itself. */
static const report_node_t **lines(const report_t *r, const report_node_t *root, size_t *n)
{
    const report_node_t **nodes, *c;

    if (!r->inner)
        return report_sites(root, r->names, n);
    for (*n = 0, c = root->first; c; c = c->next)
        ++*n;
    nodes = calloc(*n + 1, sizeof(*nodes));
    for (*n = 0, c = root->first; nodes && c; c = c->next)
        nodes[(*n)++] = c;
    return nodes;
}

static int print_sites(const report_t *r, const report_measure_t *m, const report_node_t *root)
{
    uint64_t least = !r->by && r->top == REPORT_TOP ? root->value / TRIFLE : 0;
    size_t i, n;
    const report_node_t **nodes = lines(r, root, &n);

    if (!nodes)
        return -1;
    for (i = 0; i < n && i < r->top && nodes[i]->value > least; i++)
        print_node(r, m, nodes[i], root->value);
    if (i < n && nodes[i]->value > 0)
        fprintf(r->out, "  %sand smaller ones: --top=%u%s\n", DIM(r), 4 * r->top, PLAIN(r));
    free(nodes);
    return 0;
}

static int print_list(const report_t *r, const report_measure_t *m)
{
    report_node_t *root = report_tree_make(r->profile, r->names, m);
    char a[32];
    int failed;

    if (!root)
        return -1;
    fprintf(r->out, "\n%s%s: %s%s%s\n", BOLD(r), m->title, value(m, root->value, a),
            m->bytes ? "" : " blocks", PLAIN(r));
    if (m->bytes && root->value > 0)
        fprintf(r->out, "%s  %6s %10s %13s%s\n", DIM(r), "", "bytes", "blocks", PLAIN(r));
    failed = print_sites(r, m, root);
    report_tree_free(root);
    return failed;
}

/* More than a tenth of what was asked for was: something grows by small steps. */
static int many_resizes(const profile_t *p)
{
    const profile_site_t *t = &p->total;

    return t->resizes >= MANY && t->resizes >= t->calls / 10 &&
           !report_lacks(p, report_measure("resizes"));
}

int report_text(report_t *r)
{
    int i, failed = 0; /* what was asked for by a word of its own comes first */

    print_head(r);
    print_most(r);
    print_totals(r);
    print_resident(r);
    report_beside(r);
    print_warnings(r);
    print_regions(r);
    if (r->by)
        return print_list(r, r->by) == 0 ? 0 : 1;
    if (r->profile->head.unused && r->profile->total.unused > 0)
        failed = print_list(r, report_measure("unused")) != 0;
    for (i = 0; i < LISTS && !failed; i++)
        if (report_measures[i].of(&r->profile->total) > 0 || i == 1)
            failed = print_list(r, &report_measures[i]) != 0;
    if (!failed && many_resizes(r->profile))
        failed = print_list(r, report_measure("resizes")) != 0;
    return failed;
}
