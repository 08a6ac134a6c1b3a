/* SPDX-License-Identifier: MIT */
/*
 * note: what is written into the store once: stacks, places of VMFL, modules, who the process is.
 *
 * Which stacks have been written is told by a bit for each number that the table of stacks gives;
 * the bits lie in memory that is mapped at the first stack and touched only where there are some.
 * Cost: that of a new stack, once.
 */
#include "profile.h"

#include <string.h>

#define NUMBERS ((size_t)VMSK_MOST / 8) /* the table of stacks has a number for each 8 bytes */
#define KNOWN 256                       /* places remembered, by address of the name and line */

static uint64_t *written;

/* ---- the process ---- */

static void note_process(Vmpfhead_t *h)
{
    h->pid = (uint64_t)vmos_pid();
    h->parent = (uint64_t)vmos_parent();
    memset(h->command, 0, sizeof h->command);
    memset(h->exe, 0, sizeof h->exe);
    vmos_arguments(h->command, sizeof h->command - 2);
    vmos_program(h->exe, sizeof h->exe - 1);
}

static void note_settings(Vmpfhead_t *h)
{
    h->mode = vmpf_sampling() ? VMPF_SAMPLED : VMPF_FULL;
    h->period = vmpf_sampling() ? vmpf_settings.period : 0;
    h->exact = 0;
    h->unused = vmpf.unused != 0;
    h->nearby = (uint32_t)vmpf_settings.nearby;
    h->depth = vmpf.depth;
}

void vmpf_note_start(void)
{
    uint64_t now = vmos_nanotime();
    vmpf.depth = (uint32_t)(vmpf_settings.depth != 0 ? vmpf_settings.depth
                            : vmpf_sampling()          ? 64
                                                       : 32);
    if (written == NULL)
        written = vmos_map(NULL, NUMBERS / 8, VMOS_RESERVE | VMOS_SMALL);
    else
        vmos_purge(written, NUMBERS / 8);
    vmpf.origin = now;
    vmpf.head->started = vmos_walltime();
    vmpf.nmodules = 0;
    note_settings(vmpf.head);
    note_process(vmpf.head);
}

void vmpf_note_forked(void)
{
    note_process(vmpf.head);
}

/* ---- modules ---- */

typedef struct walk {
    size_t n;
} walk_t;

static int note_module(const vmsk_module_t *m, void *arg)
{
    walk_t *w = arg;
    size_t length = strlen(m->path) + 1, size = VMB_UP(sizeof(Vmpfmodule_t) + length, 8);
    Vmpfmodule_t *r;
    if (w->n++ < vmpf.nmodules)
        return 0;
    r = vmpf_store_add(&vmpf.modules, VMPF_MODULES, 0, size);
    if (r == NULL)
        return 1;
    r->nid = VMB_MIN(m->nid, sizeof r->id);
    r->bias = m->bias;
    r->low = m->low;
    r->high = m->high;
    r->text = m->text;
    r->etext = m->etext;
    memcpy(r->id, m->id, r->nid);
    memcpy(r + 1, m->path, length);
    r->length = (uint32_t)size;
    vmpf.nmodules++;
    return 0;
}

/* ---- stacks ---- */

/* As the store and the table of stacks fill, new stacks are kept less deep, so that there are
 * fewer of them. */
static void adapt(void)
{
    vmsk_usage_t u;
    unsigned full = vmpf_store_full(), stacks;
    vmsk_usage(&u);
    stacks = (unsigned)(u.memory / (vmpf_settings.memory / 4 / 256 + 1));
    full = VMB_MAX(full, stacks);
    if (full > 240)
        vmpf.depth = VMB_MIN(vmpf.depth, 2);
    else if (full > 192)
        vmpf.depth = VMB_MIN(vmpf.depth, 6);
    else if (full > 128)
        vmpf.depth = VMB_MIN(vmpf.depth, 16);
    vmpf.head->depth = vmpf.depth;
}

/* Entries are 64 bits wide in the file whatever the machine. */
static void write_stack(uint32_t number, void *const *pcs, size_t n)
{
    walk_t w = {0};
    Vmpfstack_t *r = vmpf_store_add(&vmpf.stacks, VMPF_STACKS, 0, sizeof *r + 8 * n);
    uint64_t *to = (uint64_t *)(void *)(r + 1);
    if (r == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        to[i] = (uintptr_t)pcs[i];
    r->n = (uint32_t)n;
    __atomic_store_n(&r->number, number, __ATOMIC_RELEASE);
    vmsk_modules(note_module, &w);
    adapt();
}

uint32_t vmpf_note_stack(void *const *pcs, size_t n)
{
    uint32_t number = vmsk_intern(pcs, n);
    uint64_t bit = (uint64_t)1 << (number & 63);
    if (number == 0 || number >= NUMBERS || written == NULL)
        return 0;
    if (!(__atomic_fetch_or(&written[number >> 6], bit, __ATOMIC_RELAXED) & bit)) {
        vmos_lock(&vmpf.lock);
        write_stack(number, pcs, n);
        vmos_unlock(&vmpf.lock);
    }
    return number;
}

/* ---- places ---- */

static struct known {
    const char *file;
    int line;
    uint32_t number, epoch;
} known[KNOWN];

static uint32_t write_place(const vmr_place_t *place)
{
    const char *func = place->func != NULL ? place->func : "";
    size_t nfile = strlen(place->file) + 1, nfunc = strlen(func) + 1;
    size_t size = VMB_UP(sizeof(Vmpfplace_t) + nfile + nfunc, 8);
    Vmpfplace_t *r = vmpf_store_add(&vmpf.places, VMPF_PLACES, 0, size);
    if (r == NULL)
        return 0;
    r->number = ++vmpf.nplaces;
    r->line = (uint32_t)place->line;
    memcpy(r + 1, place->file, nfile);
    memcpy((char *)(r + 1) + nfile, func, nfunc);
    r->length = (uint32_t)size;
    return r->number;
}

/* The same place may get several numbers: what reads the store compares the texts. */
uint32_t vmpf_note_place(const vmr_place_t *place)
{
    uint64_t hash = vmb_mix((uintptr_t)place->file + ((uint64_t)place->line << 32));
    struct known *k = &known[hash % KNOWN];
    uint32_t number;
    if (place->file == NULL)
        return 0;
    vmos_lock(&vmpf.lock);
    if (k->file != place->file || k->line != place->line || k->epoch != vmpf.epoch)
        *k = (struct known){place->file, place->line, write_place(place), vmpf.epoch};
    number = k->number;
    vmos_unlock(&vmpf.lock);
    return number;
}
