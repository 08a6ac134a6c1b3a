/* SPDX-License-Identifier: MIT */
/*
 * vmalloc top: what the regions of a running program hold, read from outside, live or once.
 *
 * The program does nothing for it and is not stopped: vmpeek() says what that means for the numbers.
 */
#include "process.h"
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <vmalloc/stat.h>

struct line {
    Vmpeek_t r;
    uint64_t resident;
    int64_t growth; /* of bytes busy, since the picture before, for a second */
    int old;        /* it was in the picture before */
};

struct picture {
    struct line *line;
    size_t n, room;
    double time;
};

struct request {
    int once, json;
    double interval, count;
    const char *pid;
};

static void print_help(void)
{
    puts("Usage: vmalloc top [OPTION]... PID\n"
         "Show what the regions of a running program hold, the largest first.\n"
         "\n"
         "  --once          one picture, then end (so it is, too, when the output is no terminal)\n"
         "  --json          the same as JSON, one line for each picture\n"
         "  --interval=S    seconds between pictures (default 1)\n"
         "  --count=N       end after so many pictures\n"
         "\n"
         "The program must run on vmalloc: started by \"vmalloc run\", or linked to it. It is not\n"
         "stopped and takes no notice. On systems that let only root look into processes, start it\n"
         "by \"vmalloc run --options=top\". Ends with the program, or by Ctrl-C.\n"
         "\n"
         "busy and free are what allocated and free blocks take, extent is all memory that the\n"
         "region got, resident what of it is in memory, growth that of busy in a second.");
}

/* ---- taking a picture ---- */

/* What vmpeek() passes on: the process first, for process_read(). */
struct camera {
    struct process process;
    struct picture *picture;
};

static int add_region(const Vmpeek_t *r, void *handle)
{
    struct picture *p = ((struct camera *)handle)->picture;

    if (p->n == p->room) {
        size_t room = p->room ? p->room * 2 : 64;
        struct line *more = realloc(p->line, room * sizeof(*more));
        if (!more)
            return -1;
        p->line = more;
        p->room = room;
    }
    memset(&p->line[p->n], 0, sizeof(*p->line));
    p->line[p->n++].r = *r;
    return 0;
}

static int add_segment(const Vmpeek_t *r, const void *addr, size_t size, void *handle)
{
    struct camera *c = handle;

    (void)r;
    c->picture->line[c->picture->n - 1].resident += process_resident(&c->process, addr, size);
    return 0;
}

static int by_extent(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    if (x->r.extent != y->r.extent)
        return x->r.extent < y->r.extent ? 1 : -1;
    return (x->r.vm > y->r.vm) - (x->r.vm < y->r.vm);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* 0, or the exit status after a message. */
static int take(struct camera *c, struct picture *p)
{
    size_t i;

    p->n = 0;
    p->time = now();
    c->picture = p;
    for (i = 0; i < c->process.marks; i++)
        if (vmpeek(c->process.mark[i], process_read, add_region, add_segment, c) < 0) {
            if (errno == ENOTSUP)
                return tool_fail(TOOL_CANNOT,
                                 "process %ld has another build of vmalloc: use the command of that one",
                                 c->process.pid);
            return tool_fail(TOOL_CANNOT, "process %ld cannot be read: %s", c->process.pid,
                             strerror(errno));
        }
    qsort(p->line, p->n, sizeof(*p->line), by_extent);
    return 0;
}

static void compare(struct picture *p, const struct picture *before)
{
    double seconds = p->time - before->time;
    size_t i, j;

    for (i = 0; i < p->n; i++)
        for (j = 0; j < before->n; j++)
            if (p->line[i].r.vm == before->line[j].r.vm && seconds > 0) {
                double more = (double)p->line[i].r.s_busy - (double)before->line[j].r.s_busy;
                p->line[i].growth = (int64_t)(more / seconds);
                p->line[i].old = 1;
                break;
            }
}

/* ---- showing it ---- */

static const char *size(double bytes, char *to, size_t n)
{
    static const char unit[] = " KMGT";
    int i = 0;

    for (; (bytes >= 10000 || bytes <= -10000) && unit[i + 1]; i++)
        bytes /= 1024;
    snprintf(to, n, "%.0f%c", bytes, unit[i]);
    return to;
}

static void cell(int width, double bytes)
{
    char text[32];

    printf(" %*s", width, size(bytes, text, sizeof(text)));
}

static void show_line(const struct line *l, int growth)
{
    char name[40];

    if (l->r.name[0])
        snprintf(name, sizeof(name), "%s", l->r.name);
    else
        snprintf(name, sizeof(name), "%p", (void *)(uintptr_t)l->r.vm);
    printf("%-18.18s %-10.20s %-10.12s", name, l->r.method, l->r.discipline[0] ? l->r.discipline : "-");
    if (l->r.known) {
        printf(" %9zu", l->r.n_busy);
        cell(8, (double)l->r.s_busy);
        cell(8, (double)l->r.s_free);
    } else {
        printf(" %9s %8s %8s", "?", "?", "?");
    }
    cell(8, (double)l->r.extent);
    cell(8, (double)l->resident);
    if (growth && l->old)
        cell(8, (double)l->growth);
    putchar('\n');
}

static void show(const struct camera *c, const struct picture *p, size_t most, int live)
{
    size_t i;

    if (live)
        fputs("\033[H\033[J", stdout);
    printf("%s (%ld): %zu region%s\n", c->process.name, c->process.pid, p->n, p->n == 1 ? "" : "s");
    printf("%-18s %-10s %-10s %9s %8s %8s %8s %8s%s\n", "region", "method", "discipline", "blocks", "busy",
           "free", "extent", "resident", live ? " growth/s" : "");
    for (i = 0; i < p->n && i < most; i++)
        show_line(&p->line[i], live);
    if (i < p->n)
        printf("and %zu more\n", p->n - i);
    fflush(stdout);
}

static void string(const char *name, const char *s)
{
    printf(", \"%s\": \"", name);
    for (; *s; s++)
        if ((unsigned char)*s < 0x20)
            printf("\\u%04x", (unsigned)*s);
        else
            printf("%s%c", *s == '"' || *s == '\\' ? "\\" : "", *s);
    putchar('"');
}

static void show_json_line(const struct line *l)
{
    printf("{\"region\": \"%p\"", (void *)(uintptr_t)l->r.vm);
    string("name", l->r.name);
    string("method", l->r.method);
    string("discipline", l->r.discipline);
    if (l->r.known)
        printf(", \"n_busy\": %zu, \"s_busy\": %zu, \"n_free\": %zu, \"s_free\": %zu", l->r.n_busy,
               l->r.s_busy, l->r.n_free, l->r.s_free);
    printf(", \"n_seg\": %zu, \"extent\": %zu, \"m_extent\": %zu, \"resident\": %llu, \"n_lock\": %d",
           l->r.n_seg, l->r.extent, l->r.m_extent, (unsigned long long)l->resident, l->r.n_lock);
    if (l->old)
        printf(", \"growth\": %lld", (long long)l->growth);
    putchar('}');
}

static void show_json(const struct camera *c, const struct picture *p)
{
    size_t i;

    printf("{\"pid\": %ld", c->process.pid);
    string("program", c->process.name);
    printf(", \"regions\": [");
    for (i = 0; i < p->n; i++) {
        fputs(i ? ", " : "", stdout);
        show_json_line(&p->line[i]);
    }
    puts("]}");
    fflush(stdout);
}

/* ---- the command ---- */

static size_t lines_of_terminal(void)
{
    struct winsize w;

    if (ioctl(1, TIOCGWINSZ, &w) == 0 && w.ws_row > 4)
        return (size_t)w.ws_row - 4;
    return 40;
}

static void wait_for(double seconds)
{
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

    nanosleep(&t, NULL);
}

static int watch(struct camera *c, const struct request *want)
{
    struct picture picture[2] = {{0}, {0}};
    int live = isatty(1) && !want->once && !want->json, status = 0, first = 1;
    double left = want->once || (!isatty(1) && want->count == 0) ? 1 : want->count ? want->count : 1e18;
    size_t at = 0;

    for (; status == 0 && left >= 1; left--, at ^= 1, first = 0) {
        if (!first)
            wait_for(want->interval);
        if (!first && !process_runs(&c->process))
            break;
        status = take(c, &picture[at]);
        compare(&picture[at], &picture[at ^ 1]);
        if (status == 0 && want->json)
            show_json(c, &picture[at]);
        else if (status == 0)
            show(c, &picture[at], live ? lines_of_terminal() : (size_t)-1, live);
    }
    free(picture[0].line);
    free(picture[1].line);
    return status;
}

static int positive(const char *text, double *to)
{
    char *end;

    *to = strtod(text, &end);
    return *end == '\0' && *to > 0 && *to < 1e9 ? -1 : tool_fail(TOOL_USAGE, "\"%s\": not above 0", text);
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct request *want)
{
    static const struct option known[] = {
        {"once", no_argument, NULL, 'o'},           {"json", no_argument, NULL, 'j'},
        {"interval", required_argument, NULL, 'i'}, {"count", required_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };
    static char name[] = "vmalloc top";
    int c, r = -1;

    argv[0] = name;
    while (r < 0 && (c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (c == 'o')
            want->once = 1;
        else if (c == 'j')
            want->json = 1;
        else if (c == 'i')
            r = positive(optarg, &want->interval);
        else if (c == 'n')
            r = positive(optarg, &want->count);
        else if (c == 'h')
            return print_help(), 0;
        else
            return TOOL_USAGE;
    }
    if (r < 0 && optind + 1 != argc)
        r = tool_fail(TOOL_USAGE, "one process, by its number; see \"vmalloc top --help\"");
    want->pid = argv[optind];
    return r;
}

int tool_top(int argc, char **argv)
{
    struct request want = {.interval = 1};
    struct camera c;
    int status = parse(argc, argv, &want);

    if (status >= 0)
        return status;
    memset(&c, 0, sizeof(c));
    status = process_open(&c.process, want.pid);
    if (status == 0)
        status = watch(&c, &want);
    process_close(&c.process);
    return status;
}
