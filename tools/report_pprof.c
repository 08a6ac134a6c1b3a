/* SPDX-License-Identifier: MIT */
/*
 * report_pprof: profile.proto in gzip, for pprof, Pyroscope, Parca, Perfetto, speedscope.  Its
 * messages: https://github.com/google/pprof/blob/main/proto/profile.proto
 *
 *   sample     a site: locations, innermost first; six values; the region as a label
 *   location   a frame; its number + 1.  The address is one of those that it stands for.
 *   function   a frame's as well: readers join those of one name
 *   mapping    a module; its number + 1
 *
 * Texts are kept once, in the table of strings.  Values of samples are estimates already where the
 * profile was sampled; the period is told and nothing is to be scaled by it.
 */
#include "gzip.h"
#include "protobuf.h"
#include "report_trie.h"
#include "tool.h"

#include <stdlib.h>
#include <string.h>

/* Fields of Profile. */
enum { SAMPLE_TYPE = 1, SAMPLE, MAPPING, LOCATION, FUNCTION, STRING, TIME = 9, DURATION,
       PERIOD_TYPE, PERIOD, COMMENT, DEFAULT_TYPE };

typedef struct proto {
    const report_t *report;
    report_trie_t *trie;
    buffer_t all, part, piece; /* the profile; a message in it; one in that */
    buffer_t strings;          /* each as a field of the profile */
    const char **texts;        /* by number */
    char **own;                /* those that are freed */
    uint32_t *slots;           /* hash table: number plus one */
    size_t ntexts, room, nown, mask;
} proto_t;

/* ---- strings ---- */

static size_t slot_of(const proto_t *p, const char *text)
{
    uint64_t h = 7;
    const char *s;
    size_t i;

    for (s = text; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    for (i = (size_t)(h ^ h >> 29) & p->mask; p->slots[i]; i = (i + 1) & p->mask)
        if (strcmp(p->texts[p->slots[i] - 1], text) == 0)
            break;
    return i;
}

/* Room for as many texts as there can be: it is known beforehand. */
static int make_strings(proto_t *p, size_t room)
{
    p->room = room;
    for (p->mask = 63; p->mask < 2 * room; p->mask = 2 * p->mask + 1)
        continue;
    p->texts = calloc(room, sizeof(*p->texts));
    p->own = calloc(room, sizeof(*p->own));
    p->slots = calloc(p->mask + 1, sizeof(*p->slots));
    return p->texts && p->own && p->slots ? 0 : -1;
}

static uint32_t string(proto_t *p, const char *text)
{
    size_t i = slot_of(p, text);

    if (p->slots[i] == 0 && p->ntexts < p->room) {
        p->texts[p->ntexts] = text;
        p->slots[i] = (uint32_t)++p->ntexts;
        pb_bytes(&p->strings, STRING, text, strlen(text));
    }
    return p->slots[i] - 1;
}

/* One that is not kept elsewhere. */
static uint32_t own_string(proto_t *p, const char *text)
{
    char *copy = strdup(text);

    if (!copy) {
        p->all.failed = 1;
        return 0;
    }
    p->own[p->nown++] = copy;
    return string(p, copy);
}

/* ---- types of values ---- */

static uint64_t of_calls(const profile_site_t *s)
{
    return s->calls;
}

static uint64_t of_bytes(const profile_site_t *s)
{
    return s->bytes;
}

static uint64_t of_live(const profile_site_t *s)
{
    return s->live;
}

static uint64_t of_livebytes(const profile_site_t *s)
{
    return s->livebytes;
}

static uint64_t of_high(const profile_site_t *s)
{
    return s->high;
}

static uint64_t of_highbytes(const profile_site_t *s)
{
    return s->highbytes;
}

/* The first four are those of Go's heap profiles. */
static const struct type {
    const char *type, *unit;
    uint64_t (*of)(const profile_site_t *s);
} types[] = {
    {"alloc_objects", "count", of_calls}, {"alloc_space", "bytes", of_bytes},
    {"inuse_objects", "count", of_live},  {"inuse_space", "bytes", of_livebytes},
    {"peak_objects", "count", of_high},   {"peak_space", "bytes", of_highbytes},
};
#define TYPES (sizeof(types) / sizeof(*types))

static void put_type(proto_t *p, unsigned field, const char *type, const char *unit)
{
    buffer_clear(&p->part);
    pb_number(&p->part, 1, string(p, type));
    pb_number(&p->part, 2, string(p, unit));
    pb_message(&p->all, field, &p->part);
}

/* ---- mappings, functions, locations ---- */

static void put_mapping(proto_t *p, size_t i)
{
    const profile_module_t *m = &p->report->profile->modules[i];
    unsigned flag;

    buffer_clear(&p->part);
    pb_number(&p->part, 1, i + 1);
    pb_number(&p->part, 2, m->low);
    pb_number(&p->part, 3, m->high);
    pb_number(&p->part, 5, string(p, m->path));
    pb_number(&p->part, 6, string(p, m->id));
    for (flag = 7; flag <= 10; flag++) /* it has functions, files, lines, inlined frames */
        pb_number(&p->part, flag, 1);
    pb_message(&p->all, MAPPING, &p->part);
}

/* The first one is taken for the program. */
static void put_mappings(proto_t *p)
{
    const profile_t *profile = p->report->profile;
    size_t i, program = 0;

    while (program < profile->nmodules && strcmp(profile->modules[program].path, profile->exe) != 0)
        program++;
    if (program < profile->nmodules)
        put_mapping(p, program);
    for (i = 0; i < profile->nmodules; i++)
        if (i != program)
            put_mapping(p, i);
}

/* Modules are told apart by the texts of their paths, which the frames share. */
static size_t mapping_of(const proto_t *p, const report_frame_t *f)
{
    const profile_t *profile = p->report->profile;
    size_t i;

    for (i = profile->nmodules; *f->module && i > 0; i--)
        if (profile->modules[i - 1].path == f->module)
            return i;
    return 0;
}

static void put_frame(proto_t *p, size_t i)
{
    const report_frame_t *f = report_trie_frame(p->trie, (uint32_t)i);
    size_t mapping = mapping_of(p, f);
    uint64_t bias = mapping ? p->report->profile->modules[mapping - 1].bias : 0;
    char name[4096];
    uint32_t text = own_string(p, report_function_text(f, name, sizeof(name)));

    buffer_clear(&p->part);
    pb_number(&p->part, 1, i + 1);
    pb_number(&p->part, 2, text);
    pb_number(&p->part, 3, text);
    pb_number(&p->part, 4, string(p, f->file));
    pb_message(&p->all, FUNCTION, &p->part);

    buffer_clear(&p->piece);
    pb_number(&p->piece, 1, i + 1);
    pb_number(&p->piece, 2, (uint64_t)f->line);
    buffer_clear(&p->part);
    pb_number(&p->part, 1, i + 1);
    pb_number(&p->part, 2, mapping);
    pb_number(&p->part, 3, f->offset ? f->offset + bias : 0);
    pb_message(&p->part, 4, &p->piece);
    pb_message(&p->all, LOCATION, &p->part);
}

/* ---- samples ---- */

static void put_sample(proto_t *p, size_t site)
{
    const profile_site_t *s = &p->report->profile->sites[site];
    const char *region = s->region >= 0 ? p->report->profile->regions[s->region].name : "";
    size_t n, i;
    const uint32_t *frames = report_trie_stack(p->trie, site, &n);

    buffer_clear(&p->part);
    buffer_clear(&p->piece);
    while (n > 0)
        pb_varint(&p->piece, (uint64_t)frames[--n] + 1);
    pb_message(&p->part, 1, &p->piece);
    buffer_clear(&p->piece);
    for (i = 0; i < TYPES; i++)
        pb_varint(&p->piece, types[i].of(s));
    pb_message(&p->part, 2, &p->piece);
    if (*region) {
        buffer_clear(&p->piece);
        pb_number(&p->piece, 1, string(p, "region"));
        pb_number(&p->piece, 2, string(p, region));
        pb_message(&p->part, 3, &p->piece);
    }
    pb_message(&p->all, SAMPLE, &p->part);
}

static void put_all(proto_t *p)
{
    const profile_t *profile = p->report->profile;
    size_t i;

    string(p, ""); /* number 0 has to be that */
    for (i = 0; i < TYPES; i++)
        put_type(p, SAMPLE_TYPE, types[i].type, types[i].unit);
    for (i = 0; i < profile->nsites; i++)
        put_sample(p, i);
    put_mappings(p);
    for (i = 0; i < report_trie_nframes(p->trie); i++)
        put_frame(p, i);
    pb_number(&p->all, TIME, profile->head.started);
    pb_number(&p->all, DURATION, profile->head.now);
    put_type(p, PERIOD_TYPE, "space", "bytes");
    pb_number(&p->all, PERIOD, profile->head.mode == VMPF_SAMPLED ? profile->head.period : 1);
    pb_number(&p->all, COMMENT, string(p, profile->command));
    pb_number(&p->all, DEFAULT_TYPE, string(p, "peak_space"));
    buffer_add(&p->all, p->strings.bytes, p->strings.n);
}

static void free_proto(proto_t *p)
{
    size_t i;

    for (i = 0; i < p->nown; i++)
        free(p->own[i]);
    free(p->own);
    free(p->texts);
    free(p->slots);
    buffer_free(&p->all);
    buffer_free(&p->part);
    buffer_free(&p->piece);
    buffer_free(&p->strings);
    report_trie_free(p->trie);
}

int report_pprof(report_t *r)
{
    const profile_t *profile = r->profile;
    proto_t p = {.report = r, .trie = report_trie_make(profile, r->names)};
    int failed = !p.trie ||
                 make_strings(&p, 2 * report_trie_nframes(p.trie) + 2 * profile->nmodules +
                                      profile->nregions + 2 * TYPES + 16) != 0;

    if (!failed) {
        put_all(&p);
        failed = p.all.failed || p.strings.failed || gzip_put(r->out, p.all.bytes, p.all.n) != 0;
    }
    free_proto(&p);
    return failed ? tool_fail(TOOL_CANNOT, "out of memory") : 0;
}
