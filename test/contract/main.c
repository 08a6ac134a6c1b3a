/* SPDX-License-Identifier: MIT */
/*
 * Runs the suite.  Arguments, all optional: a pattern for the names of tests ("shrink/best*"), and
 * the name of the one discipline to use.
 */
#include "contract.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

extern const ct_case_t basic_cases[], align_cases[], resize_cases[], region_cases[], stat_cases[],
    event_cases[], segment_cases[], failure_cases[], nested_cases[], extra_cases[], vmfl_cases[];
const ct_case_t *const ct_cases[] = {basic_cases,   align_cases,   resize_cases, region_cases,
                                     stat_cases,    event_cases,   segment_cases, failure_cases,
                                     nested_cases,  extra_cases,   vmfl_cases,   NULL};

/* What Vmdebug rightly does in another way: freed blocks wait in quarantine before others get their memory;
 * handles of closed regions stay, to be known again; and the flags tell its own name. */
static const char *const notdebugged[] = {
    "reuse",      "gives_back",  "nomem_fails",      "event_order",        "attach",       "derived",
    "many_regions", "fail_one_request", "fail_from_there_on", "fail_vmdcfail", "flags",      NULL};

/* And over Vmlast: fences lie between blocks, sizes are not rounded, blocks shrink wherever they lie, and marks
 * are Vmlast's own. */
static const char *const notoverlast[] = {"sizes", "last_only_last", "last_earlier", "last_grows", "marks", NULL};

static int isin(const char *const *names, const char *name)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return 1;
    return 0;
}

static int debugs(const char *name, int which)
{
    return !isin(notdebugged, name) && !(which == LAST && isin(notoverlast, name));
}

typedef struct job {
    const ct_case_t *c;
    Vmethod_t *meth;
    int which, flags;
    int debugged; /* the method is Vmdebug over the one that `which` says */
} job_t;

static const char *only;
static ct_t now; /* the pair that runs */

void ct_fail(const char *file, int line, const char *what)
{
    print_error("discipline %s: %s\n", now.d ? now.d->name : "of the case", what);
    if (now.chk != NULL && now.chk->error[0] != 0)
        print_error("the discipline saw: %s\n", now.chk->error);
    _fail(file, line);
    abort();
}

static void start(const job_t *job, const ct_disc_t *d)
{
    memset(&now, 0, sizeof now);
    now.d = d;
    now.meth = job->meth;
    now.which = job->which;
    now.flags = job->flags;
    now.debugged = job->debugged;
    now.psize = 48;
}

static void run_pairs(const job_t *job)
{
    const ct_disc_t *d;
    if (job->c->once) {
        start(job, NULL);
        job->c->run(&now);
        return;
    }
    for (d = ct_discs; d->name != NULL; d++) {
        if ((d->capacity && d->capacity < job->c->need) || (only && strcmp(only, d->name) != 0))
            continue;
        if (job->debugged && d != ct_discs) /* each close looks through all books: one is enough */
            break;
        start(job, d);
        now.disc = d->make(&now);
        if (now.disc == NULL)
            continue;
        job->c->run(&now);
        if (d->drop)
            d->drop(&now);
    }
    now.d = NULL;
}

/* Errors that Vmdebug is to find are not for the screen. */
static int quiet = -1, loud;

static void run(void **state)
{
    const job_t *job = (const job_t *)*state;
    if (job->debugged) {
        quiet = open("/dev/null", O_WRONLY);
        loud = quiet >= 0 ? vmdebug(quiet) : -1;
    }
    run_pairs(job);
}

/* After a crash: say which pair it was. */
static int after(void **state)
{
    (void)state;
    if (now.d != NULL)
        print_error("it was discipline %s\n", now.d->name);
    now.d = NULL;
    if (quiet >= 0) {
        vmdebug(loud);
        close(quiet);
        quiet = -1;
    }
    return 0;
}

static void add(struct CMUnitTest *test, job_t *job, const char *method)
{
    char *name = (char *)malloc(100);
    snprintf(name, 100, "%s/%s%s", job->c->name, method, job->flags & VM_SINGLE ? "/single" : "");
    test->name = name;
    test->test_func = run;
    test->setup_func = NULL;
    test->teardown_func = after;
    test->initial_state = job;
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[1000];
    static job_t jobs[1000];
    const struct {
        Vmethod_t *meth;
        const char *name;
        int which, debugged;
    } methods[] = {{Vmbest, "best", BEST, 0},
                   {Vmlast, "last", LAST, 0},
                   {Vmpool, "pool", POOL, 0},
                   {ct_debug(BEST), "debug", BEST, 1},
                   {ct_debug(LAST), "debug-last", LAST, 1},
                   {ct_debug(POOL), "debug-pool", POOL, 1}};
    size_t n = 0, i, m, single;
    const ct_case_t *c;
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    if (argc > 2)
        only = argv[2];
    for (i = 0; ct_cases[i] != NULL; i++)
        for (c = ct_cases[i]; c->name != NULL; c++)
            for (m = 0; m < sizeof methods / sizeof methods[0]; m++)
                for (single = 0; single < 2; single++) {
                    job_t job = {c, methods[m].meth, methods[m].which, single ? VM_SINGLE : 0,
                                 methods[m].debugged};
                    if (!(c->methods & job.which) || job.meth == NULL || (job.debugged && !debugs(c->name, job.which)) ||
                        (job.debugged && single && job.which != BEST)) /* the same way for each */
                        continue;
                    jobs[n] = job;
                    add(&tests[n], &jobs[n], methods[m].name);
                    n++;
                }
    return _cmocka_run_group_tests("contract", tests, n, NULL, NULL);
}
