/* SPDX-License-Identifier: MIT */
/*
 * vmalloc report: reads a profile and hands it to one of the forms, which are listed in a table.
 */
#include "report.h"
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct form {
    const char *name; /* the option that asks for it */
    int (*write)(report_t *r);
    int (*compare)(report_t *r, report_t *before); /* NULL: this form cannot */
    const char *ending; /* of files of this form; NULL: it can go to a terminal */
    int inner;          /* the reader has its own ways with the insides of libraries */
    const char *what;
} forms[] = {
    {"text", report_text, report_diff, NULL, 0, "for reading; what is done without an option"},
    {"json", report_json, NULL, NULL, 1, "all of it, for scripts"},
    {"html", report_html, report_page, "html", 1, "a page for a browser: flame graph, time line"},
    {"pprof", report_pprof, NULL, "pb.gz", 1, "for pprof, Pyroscope, Parca, Perfetto: profile.proto"},
    {"folded", report_folded, NULL, NULL, 1, "a line a stack, for flamegraph.pl, inferno; see --by"},
    {"speedscope", report_speedscope, NULL, NULL, 1, "for speedscope: all measures"},
    {"massif", report_massif, NULL, NULL, 1, "for ms_print, massif-visualizer: what lived, over time"},
    {"heap-v2", report_heap, NULL, NULL, 1, "for jeprof, google-pprof, pprof: addresses alone"},
};
#define FORMS (sizeof(forms) / sizeof(*forms))

struct request {
    const struct form *form;
    const report_measure_t *by;
    unsigned top;
    const char *output; /* NULL: standard output */
    int diff;
    int inner;          /* the insides of libraries too */
    char *const *files; /* one, or with diff two: before and now */
};

static void print_help(void)
{
    const report_measure_t *m;
    size_t i;

    puts("Usage: vmalloc report [OPTION]... FILE\n"
         "       vmalloc report --diff [OPTION]... BEFORE NOW\n"
         "Tell what is in a profile that \"vmalloc run --profile\" or VMPROFILE wrote; FILE - is\n"
         "standard input. A profile can be read while its program runs.\n");
    for (i = 0; i < FORMS; i++)
        printf("  --%-12s %s\n", forms[i].name, forms[i].what);
    puts("  --diff         tell what changed from one profile to another, as text or --html\n"
         "  --top=N        how many sites each list shows; 5 unless said\n"
         "  --inner        text: with the insides of libraries and of allocators too\n"
         "  -o, --output=F write to a file\n"
         "  --by=MEASURE   one list, by:");
    for (m = report_measures; m->name; m++)
        printf("                   %-8s %s\n", m->name, m->title);
}

/* Options of the forms have numbers from 256 on. */
static int take(int c, struct request *want)
{
    char *end = NULL;

    if (c >= 256) {
        want->form = &forms[c - 256];
    } else if (c == 'b') {
        want->by = report_measure(optarg);
        if (!want->by)
            return tool_fail(TOOL_USAGE,
                             "there is no measure \"%s\"; see \"vmalloc report --help\"", optarg);
    } else if (c == 't') {
        want->top = (unsigned)strtoul(optarg, &end, 10);
        if (*end || want->top == 0 || *optarg == '-')
            return tool_fail(TOOL_USAGE, "--top=%s: a number from 1 on is wanted", optarg);
    } else if (c == 'o') {
        want->output = optarg;
    } else if (c == 'd') {
        want->diff = 1;
    } else if (c == 'i') {
        want->inner = 1;
    } else if (c == 'h') {
        return print_help(), 0;
    } else {
        return TOOL_USAGE;
    }
    return -1;
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct request *want)
{
    static struct option known[FORMS + 7] = {
        {"by", required_argument, NULL, 'b'},
        {"top", required_argument, NULL, 't'},
        {"output", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {"diff", no_argument, NULL, 'd'},
        {"inner", no_argument, NULL, 'i'},
    };
    static char name[] = "vmalloc report";
    int c, status;
    size_t i;

    for (i = 0; i < FORMS; i++)
        known[6 + i] = (struct option){forms[i].name, no_argument, NULL, 256 + (int)i};
    argv[0] = name;
    while ((c = getopt_long(argc, argv, "ho:", known, NULL)) != -1) {
        status = take(c, want);
        if (status >= 0)
            return status;
    }
    if (optind + 1 + want->diff != argc)
        return tool_fail(TOOL_USAGE, want->diff ? "two profiles are wanted, that of before first"
                         : "one profile is wanted; see \"vmalloc report --help\"");
    if (want->diff && !want->form->compare)
        return tool_fail(TOOL_USAGE, "--diff goes with --text or --html, not with --%s",
                         want->form->name);
    want->files = argv + optind;
    return -1;
}

static int wants_colour(FILE *out)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fileno(out)) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

/* The output is complete only once it is closed. */
static int write_out(report_t *r, report_t *before, const struct request *want)
{
    int status;

    if (!want->output && want->form->ending && isatty(1))
        return tool_fail(TOOL_USAGE, "this form is not for a terminal: say where it goes, as in"
                         " \"vmalloc report --%s -o report.%s %s\"", want->form->name,
                         want->form->ending, want->files[0]);
    r->out = want->output ? fopen(want->output, "w") : stdout;
    if (!r->out)
        return tool_fail(TOOL_CANNOT, "%s: %s", want->output, strerror(errno));
    r->colour = wants_colour(r->out);
    status = before ? want->form->compare(r, before) : want->form->write(r);
    if ((want->output ? fclose(r->out) : fflush(r->out)) != 0 && status == 0)
        status = tool_fail(TOOL_CANNOT, "%s: %s", want->output ? want->output : "standard output",
                           strerror(errno));
    return status;
}

static void complain(const profile_t *p)
{
    size_t i;

    for (i = 0; i < p->ncomplaints; i++)
        tool_fail(0, "%s: %s", p->path, p->complaints[i]);
}

/* 0, or the exit status after a message. */
static int load(report_t *r, const char *file, const struct request *want)
{
    const char *lacks;
    char why[400];

    r->profile = profile_read(file, why, sizeof(why));
    if (!r->profile)
        return tool_fail(TOOL_CANNOT, "%s", why);
    complain(r->profile);
    lacks = want->by ? report_lacks(r->profile, want->by) : NULL;
    if (lacks)
        return tool_fail(TOOL_USAGE, "%s %s", file, lacks);
    r->by = want->by;
    r->top = want->top;
    r->inner = want->inner;
    r->names = report_names_make(r->profile, want->inner || want->form->inner);
    return r->names ? 0 : tool_fail(TOOL_CANNOT, "out of memory");
}

static void unload(report_t *r)
{
    report_names_free(r->names);
    profile_free(r->profile);
}

int tool_report(int argc, char **argv)
{
    struct request want = {.form = &forms[0], .top = REPORT_TOP};
    report_t now = {0}, before = {0};
    int status = parse(argc, argv, &want);

    if (status >= 0)
        return status;
    status = want.diff ? load(&before, want.files[0], &want) : 0;
    if (status == 0)
        status = load(&now, want.files[want.diff], &want);
    if (status == 0)
        status = write_out(&now, want.diff ? &before : NULL, &want);
    unload(&now);
    unload(&before);
    return status;
}
