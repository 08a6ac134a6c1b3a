/* SPDX-License-Identifier: MIT */
/*
 * vmalloc replay: runs a trace on regions and on any malloc, each in processes of its own, and shows
 * time, memory and what went wrong side by side.
 */
#include "replay.h"
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define TARGETS 32
#define REPS 99

struct request {
    const char *file;
    const char *method[TARGETS], *discipline[TARGETS], *so[TARGETS];
    size_t methods, disciplines, sos;
    int onethread, check, json, print, reps;
    const char *child; /* what a process of one run is told */
};

static void print_help(void)
{
    puts("Usage: vmalloc replay [OPTION]... TRACE\n"
         "Run the calls of a trace again, on regions and on any malloc, and compare them.\n"
         "\n"
         "  --method=M       a region of method M: best, last, pool\n"
         "  --discipline=D   for it, memory of D: system (the default), heap, huge, guard\n"
         "  --so=FILE        a malloc to preload; \"libc\" is the system's own\n"
         "  --threads=N      recorded (the default): on as many as the trace has; 1: on one\n"
         "  --check          fill each block and look whether it keeps what it holds\n"
         "  --reps=N         runs of each, of which the median is shown (default 3)\n"
         "  --json           the same as JSON\n"
         "  --print          only print the trace as lines\n"
         "\n"
         "The first three may be given several times; each method is run on each discipline. With\n"
         "none of them: the system's malloc, vmalloc's, and a region of method best.\n"
         "A trace is made by \"vmalloc run --trace=FILE PROGRAM\"; see vmtrace(3).\n"
         "Peak is by how much the process grew, without the program's own data; over is how much\n"
         "more that is than the most bytes that the program had asked for at one time. Exit\n"
         "status: 0; 1 if a block lost its contents or a run died; 126 if the trace cannot be read.");
}

/* ---- the command line ---- */

static int named(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return 1;
    return 0;
}

static int add(const char **list, size_t *n, const char *what)
{
    if (*n == TARGETS / 4)
        return tool_fail(TOOL_USAGE, "too many of --method, --discipline or --so");
    list[(*n)++] = what;
    return -1;
}

static int add_known(const char **list, size_t *n, const char *const *names, const char *kind)
{
    char all[128] = "";
    size_t i;

    if (named(names, optarg))
        return add(list, n, optarg);
    for (i = 0; names[i]; i++)
        snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "", names[i]);
    return tool_fail(TOOL_USAGE, "there is no %s \"%s\": %s", kind, optarg, all);
}

static int set_threads(struct request *want)
{
    want->onethread = strcmp(optarg, "1") == 0;
    if (want->onethread || strcmp(optarg, "recorded") == 0)
        return -1;
    return tool_fail(TOOL_USAGE, "--threads=%s: \"recorded\" or 1", optarg);
}

static int set_reps(struct request *want)
{
    char *end;
    long n = strtol(optarg, &end, 10);

    want->reps = (int)n;
    if (*end == '\0' && n >= 1 && n <= REPS)
        return -1;
    return tool_fail(TOOL_USAGE, "--reps=%s: a number from 1 to %d", optarg, REPS);
}

/* -1: go on; else the exit status. */
static int option(int c, struct request *want)
{
    static const char *const methods[] = {"best", "last", "pool", NULL};
    static const char *const disciplines[] = {"system", "heap", "huge", "guard", NULL};

    switch (c) {
    case 'm':
        return add_known(want->method, &want->methods, methods, "method");
    case 'd':
        return add_known(want->discipline, &want->disciplines, disciplines, "discipline");
    case 's':
        return add(want->so, &want->sos, optarg);
    case 't':
        return set_threads(want);
    case 'n':
        return set_reps(want);
    case 'C':
        want->child = optarg;
        return -1;
    case 'h':
        return print_help(), 0;
    case '?':
        return TOOL_USAGE;
    }
    return -1;
}

static int parse(int argc, char **argv, struct request *want)
{
    static struct option known[] = {
        {"method", required_argument, NULL, 'm'},  {"discipline", required_argument, NULL, 'd'},
        {"so", required_argument, NULL, 's'},      {"threads", required_argument, NULL, 't'},
        {"reps", required_argument, NULL, 'n'},    {"child", required_argument, NULL, 'C'},
        {"check", no_argument, NULL, 0},           {"json", no_argument, NULL, 0},
        {"print", no_argument, NULL, 0},           {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static char name[] = "vmalloc replay";
    int c, r;

    known[6].flag = &want->check;
    known[7].flag = &want->json;
    known[8].flag = &want->print;
    known[6].val = known[7].val = known[8].val = 1;
    argv[0] = name;
    while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        r = option(c, want);
        if (r >= 0)
            return r;
    }
    want->file = argv[optind];
    if (!want->child && optind + 1 != argc)
        return tool_fail(TOOL_USAGE, "%s; see \"vmalloc replay --help\"",
                         optind == argc ? "no trace named" : "more than one trace named");
    return -1;
}

/* ---- targets ---- */

static struct target *fresh(struct outcome *o, size_t *n)
{
    struct target *t = &o[*n].target;

    memset(&o[*n], 0, sizeof(*o));
    ++*n;
    return t;
}

static int add_region(struct outcome *o, size_t *n, const char *method, const char *discipline)
{
    struct target *t = fresh(o, n);

    snprintf(t->method, sizeof(t->method), "%s", method);
    snprintf(t->discipline, sizeof(t->discipline), "%s", discipline);
    snprintf(t->name, sizeof(t->name), "%s on %s", method, discipline);
    return 0;
}

static int add_malloc(struct outcome *o, size_t *n, const char *so, const char *name)
{
    struct target *t = fresh(o, n);
    const char *base = strrchr(so, '/');

    if (strcmp(so, "libc") == 0) {
        snprintf(t->name, sizeof(t->name), "libc");
        return 0;
    }
    if (!realpath(so, t->so))
        return tool_fail(TOOL_CANNOT, "--so=%s: %s", so, strerror(errno));
    if (strpbrk(t->so, " :"))
        return tool_fail(TOOL_CANNOT, "%s: a path with a space or a colon cannot be preloaded", t->so);
    snprintf(t->name, sizeof(t->name), "%.60s", name ? name : base ? base + 1 : so);
    return 0;
}

static int default_targets(struct outcome *o, size_t *n)
{
    char path[PATH_MAX];
    int r;

    add_malloc(o, n, "libc", NULL);
    r = tool_library(path);
    if (r == 0 && !strpbrk(path, " :"))
        r = add_malloc(o, n, path, "vmalloc");
    add_region(o, n, "best", "system");
    return r;
}

static int targets(const struct request *want, struct outcome *o, size_t *n)
{
    static const char *const system[] = {"system"}, *const best[] = {"best"};
    const char *const *d = want->disciplines ? want->discipline : system;
    const char *const *m = want->methods ? want->method : best;
    size_t i, j, nd = want->disciplines ? want->disciplines : 1;
    size_t nm = want->methods ? want->methods : want->disciplines ? 1 : 0;
    int r = 0;

    if (!want->methods && !want->disciplines && !want->sos)
        return default_targets(o, n);
    for (i = 0; i < want->sos && r == 0; i++)
        r = add_malloc(o, n, want->so[i], NULL);
    for (i = 0; i < nm && *n < TARGETS; i++)
        for (j = 0; j < nd && *n < TARGETS; j++)
            add_region(o, n, m[i], d[j]);
    return r;
}

/* ---- runs ---- */

/* A run is told everything in one word: plan, result, check, method, discipline, library. */
static void child(const struct target *t, int planfd, int resultfd, int check)
{
    char word[4200], self[] = "/proc/self/exe";
    char *argv[] = {self, (char[]){"replay"}, word, NULL};

    snprintf(word, sizeof(word), "--child=%d:%d:%d:%s:%s:%s", planfd, resultfd, check, t->method,
             t->discipline, t->so);
    unsetenv("VMALLOC_OPTIONS");
    unsetenv("VMTRACE");
    if (t->so[0])
        setenv("LD_PRELOAD", t->so, 1);
    else
        unsetenv("LD_PRELOAD");
    execv(self, argv);
    _exit(127);
}

static int be_child(const char *word)
{
    struct target t;
    int plan, result, check, at = 0;
    const char *colon;

    memset(&t, 0, sizeof(t));
    if (sscanf(word, "%d:%d:%d:%n", &plan, &result, &check, &at) != 3 || at == 0)
        return tool_fail(TOOL_USAGE, "--child is for the command itself");
    word += at;
    colon = strchr(word, ':');
    if (colon && strchr(colon + 1, ':')) {
        snprintf(t.method, sizeof(t.method), "%.*s", (int)(colon - word), word);
        word = colon + 1;
        colon = strchr(word, ':');
        snprintf(t.discipline, sizeof(t.discipline), "%.*s", (int)(colon - word), word);
        snprintf(t.so, sizeof(t.so), "%s", colon + 1);
    }
    return replay_child(plan, result, &t, check);
}

/* One run; r is all zeros before. */
static void run(const struct target *t, int planfd, int resultfd, int check, struct result *r)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        child(t, planfd, resultfd, check);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        snprintf(r->why, sizeof(r->why), "%s", strerror(errno));
    else if (!r->done && r->why[0] == '\0' && WIFSIGNALED(status))
        snprintf(r->why, sizeof(r->why), "died of signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else if (!r->done && r->why[0] == '\0')
        snprintf(r->why, sizeof(r->why), "ended with status %d", WEXITSTATUS(status));
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static uint64_t median(uint64_t *x, int n)
{
    qsort(x, (size_t)n, sizeof(*x), by_size);
    return x[n / 2];
}

static void tell_progress(const char *name, size_t i, size_t n, int rep)
{
    if (!isatty(2))
        return;
    if (name)
        fprintf(stderr, "\r\033[K%zu of %zu: %s, run %d", i + 1, n, name, rep + 1);
    else
        fputs("\r\033[K", stderr);
}

static void measure(struct outcome *o, int planfd, int resultfd, struct result *r, int check,
                    int reps, size_t i, size_t n)
{
    uint64_t ns[REPS], peak[REPS];
    int k;

    for (k = 0; k < reps; k++) {
        tell_progress(o->target.name, i, n, k);
        memset(r, 0, sizeof(*r));
        run(&o->target, planfd, resultfd, check, r);
        ns[k] = r->ns;
        peak[k] = r->peak;
        o->middle.failed = r->failed;
        o->middle.corrupt += r->corrupt;
        if (!r->done) {
            memcpy(o->middle.why, r->why, sizeof(r->why));
            return;
        }
    }
    o->middle.done = 1;
    o->middle.ns = median(ns, reps);
    o->least = ns[0];
    o->most = ns[reps - 1];
    o->middle.peak = median(peak, reps);
}

/* A mapping that the runs share, and its descriptor. */
static struct result *shared_result(int *fd)
{
    FILE *f = tmpfile();
    void *p;

    *fd = f ? dup(fileno(f)) : -1;
    if (f)
        fclose(f);
    if (*fd < 0 || ftruncate(*fd, sizeof(struct result)) != 0)
        return NULL;
    p = mmap(NULL, sizeof(struct result), PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* ---- all of it ---- */

/* All that a trace asks for is touched: what is more than the machine has would take everything
 * else out of it.  Damaged traces ask for such sizes, and programs that use little of it. */
static int too_much(const char *file, const struct plan_head *plan)
{
    uint64_t has = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

    if (plan->peak <= has / 4 * 3)
        return 0;
    return tool_fail(TOOL_CANNOT,
                     "%s: the trace asks for %.1f GiB at a time, of which a replay touches every "
                     "page, and this machine has %.1f GiB",
                     file, (double)plan->peak / (1 << 30), (double)has / (1 << 30));
}

static int compare(const struct request *want, const struct trace *t)
{
    struct outcome o[TARGETS];
    struct replay_info info = {want->file, t, NULL, {0, 0}, want->reps, want->check};
    int planfd, resultfd, status;
    struct result *r;
    size_t n = 0, i;

    status = targets(want, o, &n);
    if (status != 0)
        return status;
    planfd = plan_make(t, want->onethread, &info.notes);
    info.plan = planfd >= 0 ? plan_map(planfd) : NULL;
    r = shared_result(&resultfd);
    if (!info.plan || !r)
        return tool_fail(TOOL_CANNOT, "no room for a plan in TMPDIR or /tmp: %s", strerror(errno));
    status = too_much(want->file, info.plan);
    if (status != 0)
        return status;
    for (i = 0; i < n; i++)
        measure(&o[i], planfd, resultfd, r, want->check, want->reps, i, n);
    tell_progress(NULL, 0, 0, 0);
    (want->json ? replay_json : replay_table)(&info, o, n);
    for (i = 0; i < n; i++)
        if (o[i].middle.corrupt || !o[i].middle.done)
            status = 1;
    return status;
}

static void tell_damage(const char *file, const struct trace *t)
{
    if (t->bad > 0)
        fprintf(stderr, "vmalloc: %s: %s%s; what could be read: %zu calls\n", file, t->damage,
                t->bad > 1 ? ", and more" : "", t->events);
    if (t->lost > 0)
        fprintf(stderr, "vmalloc: %s: the disk was full: %llu calls are missing\n", file,
                (unsigned long long)t->lost);
}

int tool_replay(int argc, char **argv)
{
    struct request want = {.reps = 3};
    struct trace t;
    int status = parse(argc, argv, &want);

    if (status >= 0)
        return status;
    if (want.child)
        return be_child(want.child);
    if (trace_read(&t, want.file) != 0) {
        status = tool_fail(TOOL_CANNOT, "%s: %s: is it a trace? See \"vmalloc replay --help\"",
                           want.file, t.damage);
        trace_free(&t);
        return status;
    }
    tell_damage(want.file, &t);
    status = 0;
    if (want.print)
        trace_print(&t);
    else
        status = compare(&want, &t);
    trace_free(&t);
    return status;
}
