/* SPDX-License-Identifier: MIT */
/* report_measure: what sites can be compared by, and how figures are written. */
#include "report.h"

#include <string.h>

static uint64_t of_peak(const profile_site_t *s)
{
    return s->highbytes;
}

static uint64_t of_live(const profile_site_t *s)
{
    return s->livebytes;
}

static uint64_t of_calls(const profile_site_t *s)
{
    return s->calls;
}

static uint64_t of_bytes(const profile_site_t *s)
{
    return s->bytes;
}

static uint64_t of_short(const profile_site_t *s)
{
    return s->shortlived;
}

static uint64_t of_slack(const profile_site_t *s)
{
    return s->slack;
}

static uint64_t of_unused(const profile_site_t *s)
{
    return s->unused;
}

static uint64_t of_growth(const profile_site_t *s)
{
    return s->growth;
}

static uint64_t of_copied(const profile_site_t *s)
{
    return s->copied;
}

static uint64_t of_own(const profile_site_t *s)
{
    return s->peakbytes;
}

static uint64_t high_blocks(const profile_site_t *s)
{
    return s->high;
}

static uint64_t live_blocks(const profile_site_t *s)
{
    return s->live;
}

static uint64_t resized_blocks(const profile_site_t *s)
{
    return s->resizes;
}

static uint64_t grown_bytes(const profile_t *p, const profile_site_t *s)
{
    (void)p;
    return s->growth;
}

const report_measure_t report_measures[] = {
    {"peak", "What lived when the program had most", 1, of_peak, high_blocks, NULL},
    {"live", "What lived at the end", 1, of_live, live_blocks, NULL},
    {"short", "Short-lived blocks", 0, of_short, of_short, NULL},
    {"calls", "Blocks asked for", 0, of_calls, of_calls, NULL},
    {"bytes", "Bytes asked for", 1, of_bytes, of_calls, NULL},
    {"own", "The most that each site had at a time", 1, of_own, of_calls, NULL},
    {"slack", "Bytes lost by rounding up", 1, of_slack, of_calls, NULL},
    {"unused", "Bytes asked for and never written", 1, of_unused, of_calls, report_looked},
    {"resizes", "Resizes", 0, resized_blocks, resized_blocks, grown_bytes},
    {"growth", "Bytes by which resizes made blocks larger", 1, of_growth, resized_blocks, NULL},
    {"copied", "Bytes copied by resizes", 1, of_copied, resized_blocks, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL},
};

static int by_resizes(const report_measure_t *m)
{
    return m->of == resized_blocks || m->of == of_growth || m->of == of_copied;
}

/* Samples do not see what realloc() does with the others: see doc/design/profile.md. */
const char *report_lacks(const profile_t *p, const report_measure_t *m)
{
    if (m->of == of_unused && p->head.unused == 0)
        return "does not tell what was never written: record it with the word \"unused\", as in "
               "--profile=FILE,unused";
    if (by_resizes(m) && p->head.mode == VMPF_SAMPLED)
        return "has samples, which tell few of the resizes: record every block with the word "
               "\"full\", as in --profile=FILE,full";
    return NULL;
}

uint64_t report_looked(const profile_t *p, const profile_site_t *s)
{
    return p->head.unused == 0 ? 0 : p->head.unused == 1 ? s->bytes - s->livebytes : s->bytes;
}

const report_measure_t *report_measure(const char *name)
{
    const report_measure_t *m = report_measures;

    while (m->name && strcmp(m->name, name) != 0)
        m++;
    return m->name ? m : NULL;
}

char *report_bytes(char *to, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double x = (double)bytes;
    int u = 0;

    for (; x >= 1000 && u < 6; u++)
        x /= 1024;
    snprintf(to, 32, u == 0 ? "%.0f %s" : x < 10 ? "%.2f %s" : x < 100 ? "%.1f %s" : "%.0f %s", x,
             units[u]);
    return to;
}

/* In groups of three. */
char *report_count(char *to, uint64_t n)
{
    char digits[32];
    size_t length = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), i,
           k = 0;

    for (i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            to[k++] = ' ';
        to[k++] = digits[i];
    }
    to[k] = '\0';
    return to;
}

char *report_time(char *to, uint64_t ns)
{
    double s = (double)ns / 1e9;

    if (s < 1)
        snprintf(to, 32, "%.0f ms", s * 1e3);
    else if (s < 300)
        snprintf(to, 32, "%.1f s", s);
    else if (s < 3 * 3600)
        snprintf(to, 32, "%.0f min", s / 60);
    else
        snprintf(to, 32, "%.1f h", s / 3600);
    return to;
}
