/* SPDX-License-Identifier: MIT */
/*
 * leaks_tell: what a scan found, by the site that allocated it, the biggest first:
 *
 *   vmalloc(PID): leak: 3 blocks of 72 bytes lost: nothing leads to them
 *     with 5 blocks of 200 bytes that only they lead to
 *     one is at 0x..., from malloc
 *     allocated:
 *       #0 ...
 *     suppress with ...
 *   vmalloc(PID): leaks: lost 3 blocks of 72 bytes, indirectly 5 of 200, perhaps 0 of 0,
 *   still reachable 2 of 1096
 *
 * What a child of fork() has from its parent is the parent's affair.  A group is of one stack and one way of being reached; blocks lost indirectly count with the group of
 * the block that leads to them.
 */
#include "leaks.h"
#include "books.h"

#include <string.h>

#define SHOWN 20 /* groups */
#define FRAMES 8

typedef struct group {
    uint32_t alloc, region;
    vmdg_reach_t reach;
    size_t n, bytes, withn, withbytes;
    const vmdg_found_t *first;
} group_t;

typedef struct groups {
    group_t *group; /* a table with open addressing while it is filled, then an array in order */
    size_t size, n, mapped;
    size_t blocks[4], bytes[4], suppressed; /* by vmdg_reach_t */
} groups_t;

static group_t *groupof(groups_t *g, const vmdg_found_t *b)
{
    uint64_t h = vmb_mix((uint64_t)b->alloc << 8 | b->reach);
    group_t *x = &g->group[h & (g->size - 1)];
    for (; x->first != NULL && (x->alloc != b->alloc || x->reach != (vmdg_reach_t)b->reach);
         x = &g->group[++h & (g->size - 1)])
        continue;
    if (x->first == NULL) {
        *x = (group_t){.alloc = b->alloc, .region = b->region, .reach = (vmdg_reach_t)b->reach,
                       .first = b};
        g->n++;
    }
    return x;
}

static void add(groups_t *g, const vmdg_scan_t *s, const vmdg_found_t *b)
{
    group_t *x = groupof(g, b->reach == VMDG_INDIRECT ? &s->block[b->leader] : b);
    g->blocks[b->reach]++;
    g->bytes[b->reach] += b->size;
    if (b->reach == VMDG_INDIRECT) {
        x->withn++;
        x->withbytes += b->size;
    } else {
        x->n++;
        x->bytes += b->size;
    }
}

static int before(const group_t *a, const group_t *b)
{
    if (a->reach != b->reach)
        return a->reach < b->reach;
    return a->bytes + a->withbytes > b->bytes + b->withbytes;
}

static void sift(group_t *x, size_t i, size_t n)
{
    group_t y = x[i];
    for (size_t k; (k = 2 * i + 1) < n; i = k) {
        if (k + 1 < n && before(&x[k], &x[k + 1]))
            k++;
        if (!before(&y, &x[k]))
            break;
        x[i] = x[k];
    }
    x[i] = y;
}

static void sort(group_t *x, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift(x, i, n);
    while (n-- > 1) {
        group_t y = x[0];
        x[0] = x[n];
        x[n] = y;
        sift(x, 0, n);
    }
}

static int make(groups_t *g, const vmdg_scan_t *s, uint32_t region)
{
    size_t n = 0;
    g->size = (size_t)2 << vmb_log2(s->n + 1);
    g->mapped = VMB_UP(g->size * sizeof *g->group, vmos_pagesize());
    g->group = vmos_map(NULL, g->mapped, VMOS_RESERVE);
    if (g->group == NULL)
        return -1;
    for (size_t i = 0; i < s->n; i++)
        if ((region == 0 || s->block[i].region == region) && s->block[i].own)
            add(g, s, &s->block[i]);
    for (size_t i = 0; i < g->size; i++)
        if (g->group[i].first != NULL)
            g->group[n++] = g->group[i];
    sort(g->group, n);
    return 0;
}

/* ---- the text ---- */

static const char *const ways[] = {
    [VMDG_LOST] = "lost: nothing leads to",
    [VMDG_INDIRECT] = "lost: only other lost blocks lead to",
    [VMDG_POSSIBLY] = "perhaps lost: only pointers into the middle lead to",
    [VMDG_REACHABLE] = "never freed, but something leads to",
};

static void blocks(vmb_out_t *o, size_t n, size_t bytes)
{
    vmb_printf(o, "%zu block%s of ", n, n == 1 ? "" : "s");
    vmdg_bytes(o, bytes);
}

static void sentence(vmb_out_t *o, const group_t *x)
{
    vmb_printf(o, "leak: ");
    blocks(o, x->n, x->bytes);
    vmb_printf(o, " %s %s", ways[x->reach], x->n == 1 ? "it" : "them");
}

static void text(vmb_out_t *o, const group_t *x, const vmdg_trace_t *t, int colour)
{
    vmb_printf(o, "%svmalloc(%ld): ", colour ? "\033[1;31m" : "", vmos_pid());
    sentence(o, x);
    vmb_printf(o, "%s\n", colour ? "\033[0m" : "");
    if (x->withn != 0) {
        vmb_printf(o, "  with ");
        blocks(o, x->withn, x->withbytes);
        vmb_printf(o, " that only %s to\n", x->n == 1 ? "it leads" : "they lead");
    }
    vmb_printf(o, "  %s at %p, from %s\n  allocated:\n", x->n == 1 ? "it is" : "one is",
               (void *)x->first->addr, vmdg_familyname((vmdg_family_t)x->first->family));
    vmdg_text_trace(o, t, FRAMES);
    vmdg_text_nohelper(o);
    vmb_printf(o, "  suppress with  ");
    vmdg_suppress_line(o, VMDG_LEAK, t);
    vmb_printf(o, "\n");
}

static void json(vmb_out_t *o, const group_t *x, const vmdg_trace_t *t)
{
    static const char *const names[] = {"lost", "indirect", "possibly", "reachable"};
    vmb_printf(o, "{\"pid\":%ld,\"kind\":\"leak\",\"reach\":\"%s\",\"blocks\":%zu,\"bytes\":%zu,"
                  "\"indirectblocks\":%zu,\"indirectbytes\":%zu,\"address\":\"%p\"",
               vmos_pid(), names[x->reach], x->n, x->bytes, x->withn, x->withbytes,
               (void *)x->first->addr);
    vmb_printf(o, ",\"family\":\"%s\"", vmdg_familyname((vmdg_family_t)x->first->family));
    vmdg_json_trace(o, "allocstack", t);
    vmb_printf(o, "}\n");
}

static void tell(const group_t *x, const vmdg_trace_t *t)
{
    vmb_out_t o = vmdg_report_buffer();
    if (vmdg_options.format == VMDG_JSON)
        json(&o, x, t);
    else
        text(&o, x, t, vmdg_report_colour());
    vmdg_report_write(&o);
}

static void summary(const groups_t *g, const vmdg_scan_t *s)
{
    vmb_out_t o = vmdg_report_buffer();
    if (vmdg_options.format == VMDG_JSON)
        return;
    vmb_printf(&o, "vmalloc(%ld): leaks: lost ", vmos_pid());
    blocks(&o, g->blocks[VMDG_LOST], g->bytes[VMDG_LOST]);
    vmb_printf(&o, ", indirectly %zu of %zu, perhaps %zu of %zu, still reachable %zu of %zu",
               g->blocks[VMDG_INDIRECT], g->bytes[VMDG_INDIRECT], g->blocks[VMDG_POSSIBLY],
               g->bytes[VMDG_POSSIBLY], g->blocks[VMDG_REACHABLE], g->bytes[VMDG_REACHABLE]);
    if (g->suppressed != 0)
        vmb_printf(&o, ", suppressed %zu", g->suppressed);
    vmb_printf(&o, "\n");
    if (s->unanswered != 0)
        vmb_printf(&o, "vmalloc(%ld): leaks: %zu threads could not be stopped: what only their "
                       "registers hold counts as lost\n", vmos_pid(), s->unanswered);
    vmdg_report_write(&o);
}

/* ---- which of them ---- */

static int wanted(const group_t *x, vmdg_when_t when)
{
    return x->reach == VMDG_LOST || vmdg_options.leaks >= VMDG_LEAKSALL ||
           (x->reach == VMDG_POSSIBLY && (when == VMDG_ATDEMAND || vmdg_options.leaks >= VMDG_LEAKSPERHAPS));
}

/* A group is taken out of the sums when it is suppressed. */
static int passes(groups_t *g, const group_t *x, vmdg_trace_t *t)
{
    vmdg_frames(x->alloc, t);
    if (!vmdg_suppressed(VMDG_LEAK, t))
        return 1;
    g->blocks[x->reach] -= x->n;
    g->bytes[x->reach] -= x->bytes;
    g->blocks[VMDG_INDIRECT] -= x->withn;
    g->bytes[VMDG_INDIRECT] -= x->withbytes;
    g->suppressed += x->n + x->withn;
    return 0;
}

/* Names for many sites are asked for at once. */
static void names(const group_t *x, size_t n)
{
    uint32_t stacks[SHOWN + SHOWN];
    size_t i;
    for (i = 0; i < n && i < SHOWN + SHOWN; i++)
        stacks[i] = x[i].alloc;
    vmdg_frames_want(stacks, i);
}

size_t vmdg_leaks_tell(const vmdg_scan_t *s, uint32_t region, vmdg_when_t when)
{
    static vmdg_trace_t t;
    groups_t g = {0};
    size_t shown = 0, left = 0;
    if (s->n == 0 || make(&g, s, region) != 0)
        return 0;
    vmdg_report_prepare();
    for (size_t i = 0; i < g.n && wanted(&g.group[i], when); i++) {
        if (i % (SHOWN + SHOWN) == 0)
            names(&g.group[i], g.n - i);
        if (!passes(&g, &g.group[i], &t))
            continue;
        if (shown < SHOWN || vmdg_options.format == VMDG_JSON)
            tell(&g.group[i], &t);
        else
            left++;
        shown++;
    }
    if (left != 0)
        vmb_fault("leaks: %zu more sites", left);
    if (shown != 0 || vmdg_options.leaks >= VMDG_LEAKSPERHAPS)
        summary(&g, s);
    vmos_unmap(g.group, g.mapped);
    return g.blocks[VMDG_LOST] +
           (when == VMDG_ATEXIT && vmdg_options.leaks >= VMDG_LEAKSPERHAPS ? g.blocks[VMDG_POSSIBLY] : 0);
}
