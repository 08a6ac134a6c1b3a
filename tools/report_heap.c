/* SPDX-License-Identifier: MIT */
/*
 * report_heap: the text that pprof, jeprof and google-pprof read, with addresses and without names:
 *
 *   heap profile:  live blocks: live bytes [ blocks: bytes] @ heap_v2/1
 *    live blocks: live bytes [ blocks: bytes] @ 0x401136 0x40117b ...     innermost first
 *   ...
 *   MAPPED_LIBRARIES:
 *   555555555000-555555556000 r-xp 00001000 00:00 0 /usr/bin/program
 *
 * The 1 is the sampling period: what comes from samples has been scaled up already, and is not to
 * be scaled again.  The scripts in Perl still multiply by 1 / (1 - exp(-mean size)), which matters for
 * stacks whose blocks have less than 8 bytes on average; 0 would make them assume 128 KiB.
 */
#include "report.h"

#define PAGE 4095ull /* less one */

static void put_figures(FILE *out, const profile_site_t *s)
{
    fprintf(out, "%6llu: %8llu [%6llu: %8llu] @", (unsigned long long)s->live,
            (unsigned long long)s->livebytes, (unsigned long long)s->calls,
            (unsigned long long)s->bytes);
}

static void put_site(const report_t *r, const profile_site_t *s)
{
    const profile_stack_t *stack = s->stack >= 0 ? &r->profile->stacks[s->stack] : NULL;
    uint32_t i;

    if (!stack || stack->n == 0)
        return;
    put_figures(r->out, s);
    for (i = 0; i < stack->n; i++)
        fprintf(r->out, " 0x%llx", (unsigned long long)stack->pcs[i].pc);
    fputc('\n', r->out);
}

/* As in /proc/PID/maps: the code of each module.  How far that is from the module's beginning in
 * memory and in the file is the same with the usual linkers. */
static void put_modules(const report_t *r)
{
    size_t i;

    fputs("\nMAPPED_LIBRARIES:\n", r->out);
    for (i = 0; i < r->profile->nmodules; i++) {
        const profile_module_t *m = &r->profile->modules[i];

        if (*m->path == '/')
            fprintf(r->out, "%llx-%llx r-xp %08llx 00:00 0 %s\n",
                    (unsigned long long)(m->text & ~PAGE),
                    (unsigned long long)((m->etext + PAGE) & ~PAGE),
                    (unsigned long long)((m->text & ~PAGE) - m->low), m->path);
    }
}

int report_heap(report_t *r)
{
    profile_site_t sum = {0};
    size_t i;

    for (i = 0; i < r->profile->nsites; i++)
        if (r->profile->sites[i].stack >= 0)
            profile_add(&sum, &r->profile->sites[i]);
    fputs("heap profile: ", r->out);
    put_figures(r->out, &sum);
    fputs(" heap_v2/1\n", r->out);
    for (i = 0; i < r->profile->nsites; i++)
        put_site(r, &r->profile->sites[i]);
    put_modules(r);
    return 0;
}
