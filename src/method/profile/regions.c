/* SPDX-License-Identifier: MIT */
/*
 * regions: what becomes of a region's sites when it is cleared or closed.
 *
 *   open      a record, a site for what has no room elsewhere
 *   cleared   all live blocks of its sites are dropped
 *   closed    its sites are added to those of "all regions that were opened at this place"; the
 *             records are used again
 *
 * So a program that opens a region for each request, a million times, has one record and one set of
 * sites for them.  Cost: the number of the region's sites.
 */
#include "profile.h"

#include <string.h>

/* ---- records ---- */

static Vmpfregion_t *record_of(const vmpf_region_t *st)
{
    return VMPF_AT(Vmpfregion_t, st->record);
}

/* A record that is in no use, or a new one; locked.  0: no room. */
static uint32_t newrecord(void)
{
    Vmpfregion_t *r;
    if (vmpf.freeregion != 0) {
        r = VMPF_AT(Vmpfregion_t, vmpf.freeregion);
        vmpf.freeregion = r->next;
        memset(r, 0, sizeof *r);
    } else {
        r = vmpf_store_add(&vmpf.regions, VMPF_REGIONS, sizeof *r, sizeof *r);
    }
    return r != NULL ? vmpf_where(r) : 0;
}

static void text(char *to, size_t size, const char *from)
{
    vmb_out_t o;
    vmb_out_init(&o, to, size);
    vmb_printf(&o, "%s", from);
}

static const char *discipline_of(Vmalloc_t *vm)
{
    const vmr_traits_t *t = vmr_traits;
    const Vmdiscmore_t *more = (const Vmdiscmore_t *)vm->disc;
    if (vm->disc->size >= sizeof *more && vm->disc->size <= 65536 && more->tag == VM_DCMORE)
        return more->name != NULL ? more->name : "";
    while (t->memoryf != NULL && t->memoryf != vm->disc->memoryf)
        t++;
    return t->memoryf != NULL ? t->name : "";
}

static uint32_t opener(void)
{
    void *pcs[VMPF_DEPTHMAX];
    return vmpf_note_stack(pcs, vmsk_capture(pcs, vmpf.depth, 0));
}

/* ---- open ---- */

static void fill(Vmalloc_t *vm, Vmpfregion_t *r, uint32_t stack)
{
    r->stack = stack;
    r->handle = (uintptr_t)vm;
    r->opened = vmpf_now();
    r->times = 1;
    text(r->method, sizeof r->method, vmmt_under(vm)->more->name);
    text(r->discipline, sizeof r->discipline, discipline_of(vm));
    __atomic_store_n(&r->number, ++vmpf.nregions, __ATOMIC_RELEASE);
}

void vmpf_region_open(Vmalloc_t *vm)
{
    vmpf_region_t *st = vmpf_of(vm),
                  now = {.epoch = vmpf.epoch, .all = st->all, .malloc = st->malloc};
    Vmpfsite_t like = {0};
    uint32_t stack;
    if (vmpf.head == NULL)
        return;
    stack = opener();
    vmos_lock(&vmpf.lock);
    now.record = newrecord();
    now.serial = ++vmpf.nserials;
    if (now.record != 0)
        fill(vm, record_of(&now), stack);
    vmos_unlock(&vmpf.lock);
    if (now.record != 0)
        now.other = vmpf_find_key(NULL, &now, 0, &like);
    *st = now;
}

/* ---- clear ---- */

void vmpf_region_clear(Vmalloc_t *vm)
{
    const vmpf_region_t *st = vmpf_of(vm);
    if (VMPF_GET(vmpf.off) || st->epoch != vmpf.epoch)
        return;
    if (vmpf_looks())
        vmpf_unused_rest(vm, 0);
    if (VMPF_GET(vmpf.off)) /* it may have ended meanwhile */
        return;
    for (uint32_t at = st->sites; at != 0; at = vmpf_site(at)->next)
        vmpf_dropped(vmpf_site(at));
    VMPF_SET(record_of(st)->live, 0);
}

/* ---- close ---- */

/* The record for all that were opened where r was, over the same method; locked. */
static Vmpfregion_t *find_closed(const Vmpfregion_t *r)
{
    for (uint32_t at = vmpf.closed; at != 0; at = VMPF_AT(Vmpfregion_t, at)->next) {
        Vmpfregion_t *c = VMPF_AT(Vmpfregion_t, at);
        if (c->stack == r->stack && strcmp(c->method, r->method) == 0)
            return c;
    }
    return NULL;
}

static Vmpfregion_t *closed(const Vmpfregion_t *r)
{
    Vmpfregion_t *c = find_closed(r);
    uint32_t at;
    if (c != NULL)
        return c;
    at = newrecord();
    if (at == 0)
        return NULL;
    c = VMPF_AT(Vmpfregion_t, at);
    *c = *r;
    c->handle = 0;
    c->times = 0;
    c->flags |= VMPF_CLOSED;
    c->number = ++vmpf.nregions;
    c->next = vmpf.closed;
    vmpf.closed = at;
    return c;
}

/* Add the figures of a site whose blocks were all dropped, as if this thread had done it all. */
static void join(Vmpfsite_t *to, const Vmpfsite_t *from)
{
    uint32_t mark = vmpf.head->mark;
    int own = from->mark == mark, other = from->rmark == mark;
    if (to->mark != mark) {
        to->highcalls = to->calls - to->frees;
        to->highbytes = to->bytes - to->freed;
        to->mark = mark;
    }
    to->highcalls += (own ? from->highcalls : from->calls - from->frees) -
                     (other ? from->rhighcalls : from->rfrees);
    to->highbytes += (own ? from->highbytes : from->bytes - from->freed) -
                     (other ? from->rhighbytes : from->rfreed);
    to->calls += from->calls;
    to->bytes += from->bytes;
    to->frees += from->calls;
    to->freed += from->bytes;
    to->peak = VMB_MAX(to->peak, from->peak);
    to->slack += from->slack;
    to->shortlived += from->shortlived + from->rshort;
    to->resizes += from->resizes;
    to->growth += from->growth;
    to->copied += from->copied;
    to->samples += from->samples;
    to->sfrees += from->samples;
    to->unused += from->unused;
}

static void join_bins(Vmpfsite_t *to, const Vmpfsite_t *from)
{
    for (int i = 0; i < VMPF_NSIZES; i++)
        to->sizes[i] += VMB_MIN(from->sizes[i], UINT32_MAX - to->sizes[i]);
    for (int i = 0; i < VMPF_NLIVES; i++) {
        uint64_t sum = (uint64_t)to->lives[i] + from->lives[i] + from->rlives[i];
        to->lives[i] = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
    }
}

/* Site by site; those that find no place in the book stay as they are, with the region's number. */
static void fold(vmpf_book_t *b, vmpf_region_t *into, const vmpf_region_t *st)
{
    uint32_t next;
    for (uint32_t at = st->sites; at != 0; at = next) {
        Vmpfsite_t *s = vmpf_site(at), *to;
        uint64_t key = vmb_mix(((uint64_t)s->stack << 32 | s->place) + into->serial);
        uint32_t found = s->calls != 0 ? vmpf_find_key(b, into, key + (key == 0), s) : at;
        next = s->next;
        if (found == 0)
            continue;
        to = vmpf_site(found);
        if (to != s) {
            join(to, s);
            join_bins(to, s);
        }
        s->region = 0;
        s->key = 0;
        vmos_lock(&vmpf.lock);
        s->next = vmpf.freesite;
        vmpf.freesite = at;
        vmos_unlock(&vmpf.lock);
    }
}

/* Records of closed regions are known by their own serials, which no open region has. */
static void leave(const Vmpfregion_t *r, Vmpfregion_t *c, uint32_t where)
{
    Vmpfregion_t *old = VMPF_AT(Vmpfregion_t, where);
    c->closed = vmpf_now();
    c->times += r->times;
    c->most = VMB_MAX(c->most, r->most);
    c->peak = VMB_MAX(c->peak, r->peak);
    memcpy(c->name, r->name, sizeof c->name);
    memset(old, 0, sizeof *old);
    old->next = vmpf.freeregion;
    vmpf.freeregion = where;
}

void vmpf_region_close(Vmalloc_t *vm)
{
    vmpf_region_t *st = vmpf_of(vm), into = {0};
    vmpf_book_t *b;
    Vmpfregion_t *c;
    if (st->epoch != vmpf.epoch || st->record == 0)
        return;
    vmpf_region_note(vm);
    vmpf_region_clear(vm);
    if ((b = vmpf_enter()) == NULL)
        return;
    vmos_lock(&vmpf.lock);
    c = closed(record_of(st));
    vmos_unlock(&vmpf.lock);
    if (c != NULL) {
        into.record = vmpf_where(c);
        into.serial = c->number | 0x80000000u;
        fold(b, &into, st);
        vmos_lock(&vmpf.lock);
        leave(record_of(st), c, st->record);
        vmos_unlock(&vmpf.lock);
    }
    vmpf_leave(b);
    *st = (vmpf_region_t){0};
}

/* ---- questions ---- */

void vmpf_region_count(const vmpf_region_t *st, int64_t bytes)
{
    Vmpfregion_t *r = record_of(st);
    uint64_t live;
    if (st->record == 0)
        return;
    live = __atomic_add_fetch(&r->live, (uint64_t)bytes, __ATOMIC_RELAXED);
    if ((int64_t)live > (int64_t)VMPF_GET(r->peak))
        VMPF_SET(r->peak, live);
}

/* Locked.  What the lower method counts has our tails in it. */
void vmpf_region_note(Vmalloc_t *vm)
{
    const vmpf_region_t *st = vmpf_of(vm);
    const Vmdata_t *data = vm->data;
    Vmpfregion_t *r;
    Vmstat_t s = {0};
    if (vmpf.head == NULL || st->epoch != vmpf.epoch || st->record == 0)
        return;
    if (vmmt_under(vm)->more->statf != NULL)
        (*vmmt_under(vm)->more->statf)(vm, &s);
    r = record_of(st);
    r->extent = data->extent;
    r->most = data->maxextent;
    r->segments = data->nseg;
    r->busy = s.s_busy;
    r->free_ = s.s_free;
    r->cached = s.s_cache;
    memcpy(r->name, data->name, sizeof r->name);
    if (st->malloc)
        r->flags |= VMPF_MALLOC;
}

void vmpf_region_live(Vmalloc_t *vm, uint64_t *blocks, uint64_t *bytes)
{
    const vmpf_region_t *st = vmpf_of(vm);
    *blocks = *bytes = 0;
    if (vmpf.head == NULL || st->epoch != vmpf.epoch)
        return;
    for (uint32_t at = __atomic_load_n(&st->sites, __ATOMIC_ACQUIRE); at != 0;) {
        const Vmpfsite_t *s = vmpf_site(at);
        *blocks += VMPF_GET(s->calls) - VMPF_GET(s->frees) - VMPF_GET(s->rfrees);
        *bytes += VMPF_GET(s->bytes) - VMPF_GET(s->freed) - VMPF_GET(s->rfreed);
        at = s->next;
    }
}
