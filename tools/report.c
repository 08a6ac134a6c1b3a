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
    const char *ending; /* of files of this form; NULL: it can go to a terminal */
    const char *what;
} forms[] = {
    {"text", report_text, NULL, "for reading, which is what is done without such an option"},
    {"json", report_json, NULL, "all of it, for scripts"},
    {"html", report_html, "html", "a page with pictures, for a browser: flame graph, time line, ..."},
};
#define FORMS (sizeof(forms) / sizeof(*forms))

struct request {
    const struct form *form;
    const report_measure_t *by;
    unsigned top;
    const char *output; /* NULL: standard output */
    const char *file;
};

static void print_help(void)
{
    const report_measure_t *m;
    size_t i;

    puts("Usage: vmalloc report [OPTION]... FILE\n"
         "Tell what is in a profile that \"vmalloc run --profile\" or VMPROFILE wrote; FILE - is\n"
         "standard input. A profile can be read while its program runs.\n");
    for (i = 0; i < FORMS; i++)
        printf("  --%-12s %s\n", forms[i].name, forms[i].what);
    puts("  --top=N        how many sites each list shows; 5 unless said\n"
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
            return tool_fail(TOOL_USAGE, "there is no measure \"%s\"; see \"vmalloc report --help\"",
                             optarg);
    } else if (c == 't') {
        want->top = (unsigned)strtoul(optarg, &end, 10);
        if (*end || want->top == 0 || *optarg == '-')
            return tool_fail(TOOL_USAGE, "--top=%s: a number from 1 on is wanted", optarg);
    } else if (c == 'o') {
        want->output = optarg;
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
    static struct option known[FORMS + 5] = {
        {"by", required_argument, NULL, 'b'},
        {"top", required_argument, NULL, 't'},
        {"output", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
    };
    static char name[] = "vmalloc report";
    int c, status;
    size_t i;

    for (i = 0; i < FORMS; i++)
        known[4 + i] = (struct option){forms[i].name, no_argument, NULL, 256 + (int)i};
    argv[0] = name;
    while ((c = getopt_long(argc, argv, "ho:", known, NULL)) != -1) {
        status = take(c, want);
        if (status >= 0)
            return status;
    }
    if (optind + 1 != argc)
        return tool_fail(TOOL_USAGE, "one profile is wanted; see \"vmalloc report --help\"");
    want->file = argv[optind];
    return -1;
}

static int wants_colour(FILE *out)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fileno(out)) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

/* The output is complete only once it is closed. */
static int write_out(report_t *r, const struct request *want)
{
    int status;

    if (!want->output && want->form->ending && isatty(1))
        return tool_fail(TOOL_USAGE, "this form is not for a terminal: say where it goes, as in"
                         " \"vmalloc report --%s -o report.%s %s\"", want->form->name,
                         want->form->ending, want->file);
    r->out = want->output ? fopen(want->output, "w") : stdout;
    if (!r->out)
        return tool_fail(TOOL_CANNOT, "%s: %s", want->output, strerror(errno));
    r->colour = wants_colour(r->out);
    status = want->form->write(r);
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

int tool_report(int argc, char **argv)
{
    struct request want = {.form = &forms[0], .top = 5};
    report_t r = {0};
    char why[400];
    int status = parse(argc, argv, &want);

    if (status >= 0)
        return status;
    r.profile = profile_read(want.file, why, sizeof(why));
    if (!r.profile)
        return tool_fail(TOOL_CANNOT, "%s", why);
    r.by = want.by;
    r.top = want.top;
    complain(r.profile);
    r.names = report_names_make(r.profile, 0);
    status = r.names ? write_out(&r, &want) : tool_fail(TOOL_CANNOT, "out of memory");
    report_names_free(r.names);
    profile_free(r.profile);
    return status;
}
