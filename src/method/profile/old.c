/* SPDX-License-Identifier: MIT */
/*
 * old: vmprofile(), the original's report, in lines of fields that end with colons:
 *
 *   ALLOCATION USAGE SUMMARY:n_alloc=:n_free=:s_alloc=:s_free=:
 *   region=HEX:n_alloc=...:max_busy=:extent=:                       each region
 *   file=NAME:n_alloc=...:                                          by name, unknown first, as <>
 *   <tab>line=N:region=HEX:n_alloc=...:                             by line, then region
 *
 * Sites of a place and region are added up in a table in memory of the system, which is sorted.
 */
#include "profile.h"

#include <errno.h>
#include <string.h>

typedef struct sums {
    uint64_t nalloc, nfree, salloc, sfree;
} sums_t;

typedef struct row {
    const char *file;
    uint32_t line;
    uint32_t region; /* number of its record */
    uint64_t handle;
    sums_t sums;
} row_t;

typedef struct table {
    row_t *rows;
    size_t n, room, size;
    uint32_t only; /* number of the region that is asked for, 0: all */
} table_t;

/* ---- records ---- */

static void add(sums_t *to, const sums_t *s)
{
    to->nalloc += s->nalloc;
    to->nfree += s->nfree;
    to->salloc += s->salloc;
    to->sfree += s->sfree;
}

static sums_t sums_of(const Vmpfsite_t *s)
{
    return (sums_t){VMPF_GET(s->calls), VMPF_GET(s->frees) + VMPF_GET(s->rfrees),
                    VMPF_GET(s->bytes), VMPF_GET(s->freed) + VMPF_GET(s->rfreed)};
}

static Vmpfsection_t *next_section(const Vmpfsection_t *s, unsigned type)
{
    size_t at = s == NULL ? VMPF_UNIT
                          : (size_t)((const char *)s - (const char *)vmpf.head) + s->size;
    while (at < vmpf.used) {
        Vmpfsection_t *next = (Vmpfsection_t *)(void *)((char *)vmpf.head + at);
        if (next->type == type)
            return next;
        at += next->size;
    }
    return NULL;
}

static const Vmpfregion_t *region_of(uint32_t number)
{
    const Vmpfsection_t *s = NULL;
    while ((s = next_section(s, VMPF_REGIONS)) != NULL) {
        const Vmpfregion_t *r = (const Vmpfregion_t *)(const void *)(s + 1);
        for (size_t n = s->used / sizeof *r; n > 0; n--, r++)
            if (r->number == number)
                return r;
    }
    return NULL;
}

static const Vmpfplace_t *place_of(uint32_t number)
{
    const Vmpfsection_t *s = NULL;
    while (number != 0 && (s = next_section(s, VMPF_PLACES)) != NULL)
        for (size_t at = 0; at < s->used;) {
            const Vmpfplace_t *p = (const Vmpfplace_t *)(const void *)((const char *)(s + 1) + at);
            if (p->number == number)
                return p;
            if (p->length == 0)
                break;
            at += p->length;
        }
    return NULL;
}

/* ---- the table ---- */

static int order(const row_t *a, const row_t *b)
{
    int c = strcmp(a->file, b->file);
    if (c == 0)
        c = (a->line > b->line) - (a->line < b->line);
    return c != 0 ? c : (a->region > b->region) - (a->region < b->region);
}

static row_t row_of(const Vmpfsite_t *s)
{
    const Vmpfplace_t *place = place_of(s->place);
    const Vmpfregion_t *r = region_of(s->region);
    row_t row = {"", 0, s->region, r != NULL ? r->handle : 0, sums_of(s)};
    if (place != NULL) {
        row.file = (const char *)(place + 1);
        row.line = place->line;
    }
    return row;
}

/* Records of closed regions are not told of, as in the original. */
static int wanted(const table_t *t, const Vmpfsite_t *s)
{
    const Vmpfregion_t *r;
    if (s->region == 0 || VMPF_GET(s->calls) == 0 || (t->only != 0 && s->region != t->only))
        return 0;
    r = region_of(s->region);
    return r != NULL && !(r->flags & VMPF_CLOSED);
}

/* Into its place: rows are in order.  Programs with VMFL have hundreds of places, not millions. */
static void enter(table_t *t, const Vmpfsite_t *s)
{
    row_t row = row_of(s);
    size_t low = 0, high = t->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (order(&t->rows[mid], &row) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < t->n && order(&t->rows[low], &row) == 0) {
        add(&t->rows[low].sums, &row.sums);
        return;
    }
    if (t->n == t->room)
        return;
    memmove(&t->rows[low + 1], &t->rows[low], (t->n - low) * sizeof row);
    t->rows[low] = row;
    t->n++;
}

static void fill(table_t *t)
{
    const Vmpfsection_t *s = NULL;
    while ((s = next_section(s, VMPF_SITES)) != NULL) {
        const Vmpfsite_t *site = (const Vmpfsite_t *)(const void *)(s + 1);
        for (size_t n = s->used / sizeof *site; n > 0; n--, site++)
            if (wanted(t, site))
                enter(t, site);
    }
}

/* ---- lines ---- */

typedef struct page { /* lines that wait to be written */
    int fd, failed;
    vmb_out_t out;
    char text[4096];
} page_t;

static void flush(page_t *p)
{
    if (!p->failed && p->out.len > 0)
        p->failed = vmos_write(p->fd, p->text, p->out.len) != 0;
    vmb_out_init(&p->out, p->text, sizeof p->text);
}

static void print_sums(page_t *p, const sums_t *s)
{
    vmb_printf(&p->out, "n_alloc=%llu:n_free=%llu:s_alloc=%llu:s_free=%llu:",
               (unsigned long long)s->nalloc, (unsigned long long)s->nfree,
               (unsigned long long)s->salloc, (unsigned long long)s->sfree);
}

static void end_line(page_t *p)
{
    vmb_printf(&p->out, "\n");
    flush(p);
}

static void print_all(page_t *p, const table_t *t)
{
    sums_t all = {0, 0, 0, 0};
    for (size_t i = 0; i < t->n; i++)
        add(&all, &t->rows[i].sums);
    vmb_printf(&p->out, "ALLOCATION USAGE SUMMARY:");
    print_sums(p, &all);
    end_line(p);
}

static void print_region(page_t *p, const table_t *t, const Vmpfregion_t *r)
{
    sums_t sums = {0, 0, 0, 0};
    uint64_t most = r->flags & VMPF_MALLOC ? VMPF_GET(vmpf.head->peak) : VMPF_GET(r->peak);
    for (size_t i = 0; i < t->n; i++)
        if (t->rows[i].region == r->number)
            add(&sums, &t->rows[i].sums);
    vmb_printf(&p->out, "region=%lx:", (unsigned long)r->handle);
    print_sums(p, &sums);
    if (most > 0)
        vmb_printf(&p->out, "max_busy=%llu:extent=%llu:", (unsigned long long)most,
                   (unsigned long long)r->extent);
    end_line(p);
}

static void print_regions(page_t *p, const table_t *t)
{
    const Vmpfsection_t *s = NULL;
    while ((s = next_section(s, VMPF_REGIONS)) != NULL) {
        const Vmpfregion_t *r = (const Vmpfregion_t *)(const void *)(s + 1);
        for (size_t n = s->used / sizeof *r; n > 0; n--, r++)
            if (r->number != 0 && !(r->flags & VMPF_CLOSED) &&
                (t->only == 0 || t->only == r->number))
                print_region(p, t, r);
    }
}

/* Rows from i on that are of one file; the next one. */
static size_t print_file(page_t *p, const table_t *t, size_t i)
{
    const char *file = t->rows[i].file;
    sums_t sums = {0, 0, 0, 0};
    size_t end;
    for (end = i; end < t->n && strcmp(t->rows[end].file, file) == 0; end++)
        add(&sums, &t->rows[end].sums);
    vmb_printf(&p->out, "file=%s:", *file != '\0' ? file : "<>");
    print_sums(p, &sums);
    end_line(p);
    for (; i < end; i++) {
        vmb_printf(&p->out, "\tline=%u:region=%lx:", t->rows[i].line,
                   (unsigned long)t->rows[i].handle);
        print_sums(p, &t->rows[i].sums);
        end_line(p);
    }
    return end;
}

/* ---- the call ---- */

static void note(Vmalloc_t *vm)
{
    if (vm->meth.meth & VM_MTPROFILE) {
        vmr_lock(vm);
        vmpf_region_note(vm);
        vmr_unlock(vm);
    }
}

static int print(int fd, uint32_t only)
{
    table_t t = {.only = only, .size = (size_t)32 << 20};
    page_t p = {.fd = fd};
    t.rows = vmos_map(NULL, t.size, VMOS_RESERVE);
    if (t.rows == NULL)
        return -1;
    t.room = t.size / sizeof *t.rows;
    vmb_out_init(&p.out, p.text, sizeof p.text);
    if (vmpf.head != NULL)
        fill(&t);
    print_all(&p, &t);
    if (vmpf.head != NULL)
        print_regions(&p, &t);
    for (size_t i = 0; i < t.n && !p.failed;)
        i = print_file(&p, &t, i);
    vmos_unmap(t.rows, t.size);
    return p.failed ? -1 : 0;
}

int vmprofile(Vmalloc_t *vm, int fd)
{
    const vmpf_region_t *st = vm != NULL && vm->data != NULL && vm->meth.meth & VM_MTPROFILE
                                  ? vmpf_of(vm)
                                  : NULL;
    uint32_t only = 0;
    if (fd < 0 || (vm != NULL && st == NULL)) {
        errno = fd < 0 ? EBADF : EINVAL;
        return -1;
    }
    if (st != NULL && vmpf.head != NULL && st->epoch == vmpf.epoch && st->record != 0)
        only = VMPF_AT(Vmpfregion_t, st->record)->number;
    vmr_each(note);
    return print(fd, only);
}
