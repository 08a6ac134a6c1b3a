/* SPDX-License-Identifier: MIT */
/* What a replay found, as a table for people or as JSON for programs. */
#include "replay.h"

#include <stdio.h>
#include <string.h>

static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

static double ratio(uint64_t x, uint64_t to)
{
    return to > 0 ? (double)x / (double)to : 0;
}

static void head(const struct replay_info *info)
{
    const struct plan_head *p = info->plan;

    printf("%s: %llu calls on %u thread%s, %u region%s, at most %.2f MiB asked for at a time\n",
           info->file, (unsigned long long)p->calls, p->threads, p->threads == 1 ? "" : "s",
           p->regions, p->regions == 1 ? "" : "s", mib(p->peak));
    if (info->notes.unknown > 0)
        printf("%llu calls are left out: their blocks are older than the trace\n",
               (unsigned long long)info->notes.unknown);
    if (info->notes.vanished > 0)
        printf("%llu blocks went without a call (cleared or closed regions, a library's own): freed "
               "when their address came again\n",
               (unsigned long long)info->notes.vanished);
    if (!info->trace->ended)
        puts("the program did not come to its end in order");
}

static int width(const struct outcome *o, size_t n)
{
    size_t w = 9, i;

    for (i = 0; i < n; i++)
        if (strlen(o[i].target.name) > w)
            w = strlen(o[i].target.name);
    return (int)w;
}

static void row(const struct replay_info *info, const struct outcome *o, int w)
{
    const struct result *r = &o->middle;

    if (!r->done) {
        printf("%-*s  %s\n", w, o->target.name, r->why);
        return;
    }
    printf("%-*s %9.1f %8.1f %9.2f %6.2f %9llu", w, o->target.name, (double)r->ns / 1e6,
           ratio(r->ns, info->plan->calls), mib(r->peak), ratio(r->peak, info->plan->peak),
           (unsigned long long)r->failed);
    if (info->check)
        printf(" %8llu", (unsigned long long)r->corrupt);
    putchar('\n');
}

void replay_table(const struct replay_info *info, const struct outcome *o, size_t n)
{
    int w = width(o, n);
    size_t i;

    head(info);
    printf("%-*s %9s %8s %9s %6s %9s%s\n", w, "allocator", "ms", "ns/call", "peak MiB", "over",
           "failed", info->check ? "  corrupt" : "");
    for (i = 0; i < n; i++)
        row(info, &o[i], w);
}

/* ---- JSON ---- */

static void string(const char *s)
{
    putchar('"');
    for (; *s; s++)
        if ((unsigned char)*s < 0x20)
            printf("\\u%04x", (unsigned)*s);
        else
            printf("%s%c", *s == '"' || *s == '\\' ? "\\" : "", *s);
    putchar('"');
}

static void member(const char *name, uint64_t x)
{
    printf(", \"%s\": %llu", name, (unsigned long long)x);
}

static void object(const struct outcome *o, int check)
{
    const struct result *r = &o->middle;

    printf("    {\"allocator\": ");
    string(o->target.name);
    if (!r->done) {
        printf(", \"error\": ");
        string(r->why);
    } else {
        member("ns", r->ns);
        member("ns_least", o->least);
        member("ns_most", o->most);
        member("peak", r->peak);
        member("failed", r->failed);
        if (check)
            member("corrupt", r->corrupt);
    }
    putchar('}');
}

void replay_json(const struct replay_info *info, const struct outcome *o, size_t n)
{
    const struct plan_head *p = info->plan;
    size_t i;

    printf("{\"trace\": ");
    string(info->file);
    member("calls", p->calls);
    member("threads", p->threads);
    member("regions", p->regions);
    member("peak_asked", p->peak);
    member("unknown", info->notes.unknown);
    member("vanished", info->notes.vanished);
    member("damaged", info->trace->bad);
    member("lost", info->trace->lost);
    printf(", \"ended\": %s", info->trace->ended ? "true" : "false");
    member("reps", (uint64_t)info->reps);
    printf(", \"results\": [\n");
    for (i = 0; i < n; i++) {
        object(&o[i], info->check);
        puts(i + 1 < n ? "," : "");
    }
    puts("]}");
}
