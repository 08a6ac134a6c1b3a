/* SPDX-License-Identifier: MIT */
/*
 * store: the memory of records, which is the file of the profile when there is one.
 *
 *   reserved addresses   | head | section | section | ... |         |               |
 *                        0                               used    mapped           limit
 *   file                 | the same bytes                          |
 *
 * Without a file all of it is memory of our own, and mapped is limit.  A section, once laid out,
 * stays; a record never moves.  Sections of one type double in size.  All functions that change the
 * layout are called with vmpf.lock held, or while nobody else records.
 */
#include "profile.h"

#include <errno.h>
#include <string.h>

#define STEP ((size_t)64 << 10)      /* by which the file grows */
#define MOST ((size_t)4 << 20)       /* largest section that is made ahead of need */
#define LEAST ((size_t)1 << 20)      /* a store that is worth having */

static uint64_t id[2]; /* of the file */

/* ---- memory ---- */

static int reserve(size_t size)
{
    void *base = NULL;
    for (size = VMB_UP(size, STEP); size >= LEAST && base == NULL; size /= 2)
        if ((base = vmos_map(NULL, VMB_UP(size, STEP), VMOS_RESERVE | VMOS_SMALL)) != NULL)
            vmpf.limit = VMB_UP(size, STEP);
    if (base == NULL)
        return -1;
    vmos_name(base, vmpf.limit, "vmalloc profile");
    vmpf.mapped = vmpf.limit;
    vmpf.head = base;
    return 0;
}

static void layhead(void)
{
    Vmpfhead_t *h = vmpf.head;
    memcpy(h->magic, VMPF_MAGIC, sizeof h->magic);
    h->order = VMPF_ORDER;
    h->version = VMPF_VERSION;
    h->size = VMPF_UNIT;
    h->word = sizeof(void *);
    h->mark = 1;
    vmpf.used = VMPF_UNIT;
}

/* Sections that there is one of, and the first of the others. */
static int layout(void)
{
    layhead();
    vmpf.regions = vmpf_store_section(VMPF_REGIONS, sizeof(Vmpfregion_t), 15 * 1024);
    vmpf.modules = vmpf_store_section(VMPF_MODULES, 0, 15 * 1024);
    vmpf.times = vmpf_store_section(VMPF_TIMES, sizeof(Vmpftime_t), 40 * 1024);
    vmpf.stacks = vmpf_store_section(VMPF_STACKS, 0, 60 * 1024);
    vmpf.sites = vmpf_store_section(VMPF_SITES, sizeof(Vmpfsite_t), 60 * 1024);
    vmpf.places = 0;
    return vmpf.sites != 0 ? 0 : -1;
}

int vmpf_store_open(void)
{
    vmpf.fd = -1;
    return reserve(vmpf_settings.memory - vmpf_settings.memory / 4) == 0 ? layout() : -1;
}

unsigned vmpf_store_full(void)
{
    return (unsigned)(vmpf.used / (vmpf.limit / 256 + 1));
}

/* ---- the file ---- */

/* The program may have closed our descriptor, whose number may be another file's now. */
static int stillours(void)
{
    uint64_t now[2];
    if (vmos_file_id(vmpf.fd, now) == 0 && now[0] == id[0] && now[1] == id[1])
        return 0;
    vmpf.fd = vmos_file_again(vmpf.file);
    return vmpf.fd >= 0 && vmos_file_id(vmpf.fd, now) == 0 && now[0] == id[0] && now[1] == id[1]
               ? 0
               : -1;
}

/* See that [0, to) can be used.  When the disk is full the rest stays in memory. */
static void reach(size_t to)
{
    size_t more = VMB_UP(to, STEP) - vmpf.mapped;
    if (to <= vmpf.mapped)
        return;
    if (stillours() != 0 ||
        vmos_file_mapat(vmpf.fd, vmpf.mapped, (char *)vmpf.head + vmpf.mapped, more) != 0) {
        vmb_fault("profile %s: cannot grow (error %d): what comes now is kept in memory only",
                  vmpf.file, errno);
        vmpf.mapped = vmpf.limit;
        return;
    }
    vmpf.mapped += more;
}

/* The name with the process number in place of %p; own: also where there is no %p. */
static int name(int own)
{
    vmb_out_t o;
    int seen = 0;
    vmb_out_init(&o, vmpf.file, sizeof vmpf.file);
    for (const char *s = vmpf.path; *s != '\0'; s++) {
        if (s[0] == '%' && s[1] == 'p') {
            vmb_printf(&o, "%ld", vmos_pid());
            seen = 1;
            s++;
        } else {
            vmb_printf(&o, "%c", *s);
        }
    }
    if (own && !seen)
        vmb_printf(&o, ".%ld", vmos_pid());
    errno = o.len + 1 < sizeof vmpf.file ? errno : ENAMETOOLONG;
    return o.len + 1 < sizeof vmpf.file ? 0 : -1;
}

static int create(void)
{
    int fd = name(vmpf.forked) == 0 ? vmos_file_own(vmpf.file) : -1;
    if (fd < 0 && errno == EWOULDBLOCK && name(1) == 0)
        fd = vmos_file_own(vmpf.file);
    return fd >= 0 && vmos_file_id(fd, id) == 0 ? fd : -1;
}

/* The file gets what the store has, and takes its place.  What other threads count meanwhile could
 * be lost: so this is done before there are any, or when nothing is recorded any more. */
int vmpf_store_file(void)
{
    size_t size = VMB_UP(vmpf.used, STEP);
    int fd = create();
    void *copy = fd >= 0 ? vmos_file_map(fd, 0, size) : NULL;
    int r = -1;
    if (copy != NULL) {
        memcpy(copy, vmpf.head, vmpf.used);
        r = vmos_file_mapat(fd, 0, vmpf.head, size);
        vmos_unmap(copy, size);
    }
    if (r == 0) {
        vmpf.fd = fd;
        vmpf.mapped = size;
    } else if (fd >= 0) {
        vmos_file_close(fd);
    }
    return r;
}

/* ---- sections ---- */

uint32_t vmpf_store_section(unsigned type, unsigned item, size_t size)
{
    size_t whole = VMB_UP(size + sizeof(Vmpfsection_t), VMPF_UNIT), at = vmpf.used;
    Vmpfsection_t *s = (Vmpfsection_t *)(void *)((char *)vmpf.head + at);
    if (size > vmpf.limit || whole > vmpf.limit - at)
        return 0;
    reach(at + whole);
    s->type = (uint16_t)type;
    s->item = (uint16_t)item;
    s->size = whole;
    s->magic = VMPF_SECTION;
    vmpf.used = at + whole;
    return vmpf_where(s);
}

/* The section that follows a full one. */
static uint32_t another(const Vmpfsection_t *full, unsigned type, unsigned item, size_t size)
{
    size_t twice = full != NULL ? VMB_MIN(2 * full->size, MOST) - sizeof *full : VMPF_UNIT;
    uint32_t at = vmpf_store_section(type, item, VMB_MAX(twice, size));
    return at != 0 ? at : vmpf_store_section(type, item, size);
}

void *vmpf_store_add(uint32_t *section, unsigned type, unsigned item, size_t size)
{
    Vmpfsection_t *s = *section != 0 ? VMPF_AT(Vmpfsection_t, *section) : NULL;
    void *record;
    if (s == NULL || size > s->size - sizeof *s - s->used) {
        uint32_t at = another(s, type, item, size);
        if (at == 0)
            return NULL;
        *section = at;
        s = VMPF_AT(Vmpfsection_t, at);
    }
    record = (char *)(s + 1) + s->used;
    __atomic_store_n(&s->used, s->used + size, __ATOMIC_RELEASE);
    return record;
}

/* ---- fork ---- */

/* The parent's file is mapped here too: what this process writes must not get there. */
static void detach(int keep)
{
    size_t size = VMB_UP(vmpf.used, STEP);
    void *copy = keep ? vmos_map(NULL, size, 0) : NULL;
    void *base = vmpf.head;
    if (copy != NULL)
        memcpy(copy, base, vmpf.used);
    vmos_unmap(base, vmpf.limit);
    if (vmos_mapat(base, vmpf.limit, VMOS_RESERVE | VMOS_SMALL) == NULL) {
        vmpf.head = NULL;
        return;
    }
    if (copy != NULL) {
        memcpy(base, copy, vmpf.used);
        vmos_unmap(copy, size);
    }
}

void vmpf_store_forked(int keep)
{
    if (vmpf.fd >= 0 || !keep)
        detach(keep);
    if (vmpf.fd >= 0)
        vmos_file_close(vmpf.fd);
    vmpf.fd = -1;
    vmpf.mapped = vmpf.limit;
    if (vmpf.head != NULL && !keep)
        layout();
}
