/* SPDX-License-Identifier: MIT */
/*
 * profile_tables: the tables of a profile, sorted, and sites of all threads joined.
 *
 * While records come, sites hold numbers of regions, stacks and places in .region, .stack and
 * .place, and stacks hold their addresses in the file; profile_finish() sorts the tables and turns
 * numbers into indices.  That there was no memory is told by p->size being SIZE_MAX.  Once
 * total.stack is -1, the addresses of all p->nstacks stacks are in memory of their own.
 */
#include "profile_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- arrays that grow ---- */

/* Room for one more of size bytes behind n: its place, NULL when there is no memory.  Arrays have
 * room for a power of two. */
static void *append(profile_t *p, void **array, size_t *n, size_t size)
{
    void *more;

    if ((*n & (*n - 1)) == 0) {
        more = realloc(*array, (*n ? 2 * *n : 1) * size);
        if (!more) {
            p->size = SIZE_MAX;
            return NULL;
        }
        *array = more;
    }
    return memset((char *)*array + (*n)++ * size, 0, size);
}

#define APPEND(p, array, n) append((p), (void **)&(p)->array, &(p)->n, sizeof(*(p)->array))

void profile_add_module(profile_t *p, const Vmpfmodule_t *r, const char *path)
{
    profile_module_t *m = APPEND(p, modules, nmodules);
    uint32_t i;

    if (!m)
        return;
    m->path = path;
    m->bias = r->bias;
    m->low = r->low;
    m->high = r->high;
    m->text = r->text;
    m->etext = r->etext;
    for (i = 0; i < r->nid && i < sizeof(r->id); i++)
        snprintf(m->id + 2 * i, 3, "%02x", r->id[i]);
}

void profile_add_stack(profile_t *p, const Vmpfstack_t *r)
{
    profile_stack_t *s = APPEND(p, stacks, nstacks);

    if (!s)
        return;
    s->number = r->number;
    s->n = r->n;
    s->pcs = (const profile_pc_t *)(const void *)(r + 1); /* still as in the file */
}

void profile_add_place(profile_t *p, const Vmpfplace_t *r, const char *file, const char *func)
{
    profile_place_t *s = APPEND(p, places, nplaces);

    if (s)
        *s = (profile_place_t){r->number, r->line, file, func};
}

void profile_add_region(profile_t *p, const Vmpfregion_t *r)
{
    Vmpfregion_t *s = APPEND(p, regions, nregions);

    if (!s)
        return;
    *s = *r;
    s->name[sizeof(s->name) - 1] = '\0';
    s->method[sizeof(s->method) - 1] = '\0';
    s->discipline[sizeof(s->discipline) - 1] = '\0';
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

void profile_add_site(profile_t *p, const Vmpfsite_t *r)
{
    profile_site_t *s = APPEND(p, sites, nsites);
    int own = r->mark == p->head.mark, other = r->rmark == p->head.mark, i;

    if (!s)
        return;
    s->region = (int)r->region;
    s->stack = (int)r->stack;
    s->place = (int)r->place;
    s->calls = r->calls;
    s->bytes = r->bytes;
    s->live = less(r->calls, r->frees + r->rfrees);
    s->livebytes = less(r->bytes, r->freed + r->rfreed);
    s->high = less(own ? r->highcalls : r->calls - r->frees, other ? r->rhighcalls : r->rfrees);
    s->highbytes =
        less(own ? r->highbytes : r->bytes - r->freed, other ? r->rhighbytes : r->rfreed);
    s->peakbytes = r->peak;
    s->shortlived = r->shortlived + r->rshort;
    s->slack = r->slack;
    s->unused = p->head.unused ? (r->unused < r->bytes ? r->unused : r->bytes) : 0;
    s->resizes = r->resizes;
    s->growth = r->growth;
    s->copied = r->copied;
    s->samples = r->samples;
    s->livesamples = less(r->samples, r->sfrees + r->rsfrees);
    for (i = 0; i < VMPF_NSIZES; i++)
        s->sizes[i] = r->sizes[i];
    for (i = 0; i < VMPF_NLIVES; i++)
        s->lives[i] = (uint64_t)r->lives[i] + r->rlives[i];
}

void profile_add_time(profile_t *p, const Vmpftime_t *r)
{
    Vmpftime_t *t;

    if (p->ntimes > 0 && r->time < p->times[p->ntimes - 1].time)
        return;
    t = APPEND(p, times, ntimes);
    if (t)
        *t = *r;
}

void profile_add_segment(profile_t *p, const Vmpfsegment_t *r)
{
    profile_segment_t *s = APPEND(p, segments, nsegments);

    if (!s)
        return;
    s->region = r->region;
    s->name = memchr(r->name, '\0', sizeof(r->name)) ? r->name : "";
    s->addr = r->addr;
    s->extent = r->extent;
    s->busy = r->busy;
    s->ncells = r->ncells;
    s->cells = (const unsigned char *)(r + 1);
}

/* ---- finding by number ---- */

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

/* All tables but that of regions begin with the number, and so does that. */
static int by_number(const void *a, const void *b)
{
    uint32_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return COMPARE(x, y);
}

/* Without what has the same number as the one before it. */
static size_t sort_numbers(void *array, size_t n, size_t size)
{
    char *at = array;
    size_t i, kept = 0;

    if (n > 0)
        qsort(array, n, size, by_number);
    for (i = 0; i < n; i++)
        if (kept == 0 || by_number(at + i * size, at + (kept - 1) * size) != 0)
            memmove(at + kept++ * size, at + i * size, size);
    return kept;
}

static int find_number(const void *array, size_t n, size_t size, uint32_t number)
{
    const char *found = n > 0 ? bsearch(&number, array, n, size, by_number) : NULL;

    return found ? (int)((size_t)(found - (const char *)array) / size) : -1;
}

int profile_region(const profile_t *p, uint32_t number)
{
    return find_number(p->regions, p->nregions, sizeof(*p->regions), number);
}

int profile_stack(const profile_t *p, uint32_t number)
{
    return find_number(p->stacks, p->nstacks, sizeof(*p->stacks), number);
}

int profile_place(const profile_t *p, uint32_t number)
{
    return find_number(p->places, p->nplaces, sizeof(*p->places), number);
}

/* ---- places of addresses ---- */

/* Of modules that have an address the last one counts. */
static int module_of(const profile_t *p, uint64_t address)
{
    size_t i = p->nmodules;

    while (i-- > 0)
        if (address >= p->modules[i].low && address < p->modules[i].high)
            return (int)i;
    return -1;
}

static void locate(const profile_t *p, profile_pc_t *pc, uint64_t value)
{
    pc->pc = value;
    pc->offset = value - 1;
    pc->module = module_of(p, value - 1);
    if (pc->module >= 0)
        pc->offset -= p->modules[pc->module].bias;
}

/* The addresses of a stack get an array of their own. */
static int locate_stack(profile_t *p, profile_stack_t *s)
{
    const char *file = (const char *)s->pcs;
    profile_pc_t *pcs = calloc(s->n ? s->n : 1, sizeof(*pcs));
    uint64_t value;
    uint32_t i;

    s->pcs = pcs;
    for (i = 0; pcs && i < s->n; i++) {
        memcpy(&value, file + 8 * (size_t)i, sizeof(value));
        locate(p, &pcs[i], value);
    }
    return pcs ? 0 : -1;
}

static int finish_stacks(profile_t *p)
{
    size_t i, n = sort_numbers(p->stacks, p->nstacks, sizeof(*p->stacks));

    p->nstacks = 0;
    p->total.stack = -1;
    for (i = 0; i < n; i++, p->nstacks++)
        if (locate_stack(p, &p->stacks[i]) != 0)
            return -1;
    return 0;
}

/* ---- sites ---- */

static int by_key(const void *a, const void *b)
{
    const profile_site_t *x = a, *y = b;
    int order = COMPARE(x->region, y->region);

    if (order == 0)
        order = COMPARE(x->stack, y->stack);
    return order ? order : COMPARE(x->place, y->place);
}

void profile_add(profile_site_t *sum, const profile_site_t *s)
{
    int i;

    sum->calls += s->calls;
    sum->bytes += s->bytes;
    sum->live += s->live;
    sum->livebytes += s->livebytes;
    sum->high += s->high;
    sum->highbytes += s->highbytes;
    sum->peakbytes += s->peakbytes;
    sum->shortlived += s->shortlived;
    sum->slack += s->slack;
    sum->unused += s->unused;
    sum->resizes += s->resizes;
    sum->growth += s->growth;
    sum->copied += s->copied;
    sum->samples += s->samples;
    sum->livesamples += s->livesamples;
    for (i = 0; i < VMPF_NSIZES; i++)
        sum->sizes[i] += s->sizes[i];
    for (i = 0; i < VMPF_NLIVES; i++)
        sum->lives[i] += s->lives[i];
}

static void finish_sites(profile_t *p)
{
    size_t i, n = 0;

    for (i = 0; i < p->nsites; i++) {
        profile_site_t *s = &p->sites[i];

        s->region = profile_region(p, (uint32_t)s->region);
        s->stack = profile_stack(p, (uint32_t)s->stack);
        s->place = profile_place(p, (uint32_t)s->place);
    }
    if (p->nsites > 0)
        qsort(p->sites, p->nsites, sizeof(*p->sites), by_key);
    for (i = 0; i < p->nsites; i++) {
        profile_add(&p->total, &p->sites[i]);
        if (n > 0 && by_key(&p->sites[n - 1], &p->sites[i]) == 0)
            profile_add(&p->sites[n - 1], &p->sites[i]);
        else
            p->sites[n++] = p->sites[i];
    }
    p->nsites = n;
    p->total.region = p->total.place = -1;
    p->total.peakbytes = p->head.peak;
}

/* Arguments with blanks between them. */
static char *command_of(const Vmpfhead_t *head)
{
    char *command = malloc(sizeof(head->command)), *c = command;
    size_t i, n = sizeof(head->command) - 1;

    if (!command)
        return NULL;
    memcpy(command, head->command, sizeof(head->command));
    for (i = 0; i < n && (c[i] || c[i + 1]); i++)
        if (c[i] == '\0')
            c[i] = ' ';
    c[i] = '\0';
    return command;
}

int profile_finish(profile_t *p)
{
    if (p->size == SIZE_MAX)
        return -1;
    p->exe = p->head.exe;
    p->command = command_of(&p->head);
    p->nregions = sort_numbers(p->regions, p->nregions, sizeof(*p->regions));
    p->nplaces = sort_numbers(p->places, p->nplaces, sizeof(*p->places));
    if (!p->command || finish_stacks(p) != 0)
        return -1;
    finish_sites(p);
    return 0;
}

void profile_free(profile_t *p)
{
    size_t i;

    if (!p)
        return;
    for (i = 0; p->total.stack == -1 && i < p->nstacks; i++)
        free((void *)(uintptr_t)p->stacks[i].pcs);
    for (i = 0; i < p->ncomplaints; i++)
        free(p->complaints[i]);
    free(p->complaints);
    free(p->command);
    free(p->modules);
    free(p->stacks);
    free(p->places);
    free(p->regions);
    free(p->sites);
    free(p->times);
    free(p->segments);
    free(p->data);
    free((void *)(uintptr_t)p->path);
    free(p);
}

uint64_t profile_error(const profile_t *p, uint64_t samples)
{
    uint64_t root = 0, bit = (uint64_t)1 << 31;

    if (p->head.mode != VMPF_SAMPLED)
        return 0;
    if (samples < 2) /* of what has no sample there may still be as much: 1 - e^-3 is 95 in 100 */
        return 3 * p->head.period;
    for (; bit > 0; bit >>= 1) /* the root, rounded down */
        if ((root | bit) <= samples / (root | bit))
            root |= bit;
    return 2 * p->head.period * (root + (root * root < samples));
}
