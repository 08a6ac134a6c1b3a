/* SPDX-License-Identifier: MIT */
/*
 * profile_read: reads the file of a profile, section by section, and believes nothing in it.
 *
 *   file --> memory --> sections whose checksum is right --> records --> tables (profile_tables.c)
 *
 * A record is looked at only if all of it lies in the used part of its section and in the file.
 * Numbers that are used as sizes or indices are compared first; those that are only shown are not.
 * Cost: linear in the file, n log n in the stacks and sites.
 */
#include "profile_read.h"
#include "profile_tables.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPLAINTS 20 /* that are kept; one more says that there were others */

/* ---- the file ---- */

/* All of it, whatever it is: what runs still grows, pipes tell no size. */
static char *slurp(int fd, size_t *size)
{
    size_t room = 1 << 16, n = 0;
    char *data = malloc(room), *more;
    ssize_t got = 1;

    while (data && got != 0) {
        if (n == room) {
            more = realloc(data, room *= 2);
            if (!more)
                break;
            data = more;
        }
        got = read(fd, data + n, room - n);
        if (got < 0 && errno != EINTR)
            break;
        n += got > 0 ? (size_t)got : 0;
    }
    if (got == 0 && data) {
        *size = n;
        return data;
    }
    free(data);
    return NULL;
}

profile_t *profile_read(const char *path, char *why, size_t whysize)
{
    int standard = strcmp(path, "-") == 0;
    int fd = standard ? 0 : open(path, O_RDONLY | O_CLOEXEC);
    size_t size = 0;
    char *data = fd >= 0 ? slurp(fd, &size) : NULL;

    if (!data)
        snprintf(why, whysize, "%s: %s", path, strerror(errno));
    if (fd > 0)
        close(fd);
    return data ? profile_parse(standard ? "standard input" : path, data, size, why, whysize)
                : NULL;
}

/* ---- what is wrong ---- */

void profile_complain(profile_t *p, const char *format, ...)
{
    char text[256];
    char **more;
    va_list args;

    if (p->ncomplaints > COMPLAINTS)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (p->ncomplaints == COMPLAINTS)
        snprintf(text, sizeof(text), "and more of the kind");
    more = realloc(p->complaints, (p->ncomplaints + 1) * sizeof(*more));
    if (!more)
        return;
    p->complaints = more;
    more[p->ncomplaints] = strdup(text);
    p->ncomplaints += more[p->ncomplaints] != NULL;
}

/* ---- checksums ---- */

uint32_t profile_crc(uint32_t crc, const void *data, size_t size)
{
    static uint32_t table[256];
    const unsigned char *s = data;
    uint32_t i, k, x;

    if (table[1] == 0)
        for (i = 0; i < 256; i++) {
            for (x = i, k = 0; k < 8; k++)
                x = x >> 1 ^ (x & 1 ? 0x82f63b78u : 0);
            table[i] = x;
        }
    crc = ~crc;
    while (size-- > 0)
        crc = crc >> 8 ^ table[(crc ^ *s++) & 255];
    return ~crc;
}

static int head_sound(const Vmpfhead_t *head)
{
    Vmpfhead_t copy = *head;

    copy.check = 0;
    return head->state != VMPF_SEALED || head->check == profile_crc(0, &copy, sizeof(copy));
}

static int section_sound(const Vmpfsection_t *section, const char *content)
{
    Vmpfsection_t copy = *section;

    copy.check = 0;
    return section->state != VMPF_SEALED ||
           section->check ==
               profile_crc(profile_crc(0, &copy, sizeof(copy)), content, section->used);
}

/* ---- sections ---- */

typedef struct span { /* records of one section */
    const char *at, *end;
    size_t item;
} span_t;

/* The next record, of at least `least` bytes, the first four of which are its length unless the
 * section gives one.  NULL: no more. */
static const void *next_record(span_t *s, size_t least)
{
    const char *record = s->at;
    size_t left = (size_t)(s->end - s->at), length = s->item;
    uint32_t told;

    if (left < least || left < sizeof(told))
        return NULL;
    if (length == 0) {
        memcpy(&told, record, sizeof(told));
        length = told;
    }
    if (length < least || length > left || length % 8 != 0)
        return NULL;
    s->at += length;
    return record;
}

/* A text that ends before end; "" when it does not. */
static const char *text_in(const char *text, const char *end)
{
    return text < end && memchr(text, '\0', (size_t)(end - text)) ? text : "";
}

static void read_modules(profile_t *p, span_t s)
{
    const Vmpfmodule_t *r;

    while ((r = next_record(&s, sizeof(*r))) != NULL)
        profile_add_module(p, r, text_in((const char *)(r + 1), (const char *)r + r->length));
}

static void read_stacks(profile_t *p, span_t s)
{
    while ((size_t)(s.end - s.at) >= sizeof(Vmpfstack_t)) {
        const Vmpfstack_t *r = (const Vmpfstack_t *)(const void *)s.at;
        size_t left = ((size_t)(s.end - s.at) - sizeof(*r)) / 8;

        if (r->number == 0 || r->n > left)
            break;
        profile_add_stack(p, r);
        s.at += sizeof(*r) + (size_t)r->n * 8;
    }
}

static void read_places(profile_t *p, span_t s)
{
    const Vmpfplace_t *r;

    while ((r = next_record(&s, sizeof(*r))) != NULL) {
        const char *end = (const char *)r + r->length;
        const char *file = text_in((const char *)(r + 1), end);
        const char *func = *file ? text_in(file + strlen(file) + 1, end) : "";

        profile_add_place(p, r, file, func);
    }
}

static void read_regions(profile_t *p, span_t s)
{
    const Vmpfregion_t *r;

    while ((r = next_record(&s, sizeof(*r))) != NULL)
        if (r->number != 0)
            profile_add_region(p, r);
}

static void read_sites(profile_t *p, span_t s)
{
    const Vmpfsite_t *r;

    while ((r = next_record(&s, sizeof(*r))) != NULL)
        if (r->region != 0 && r->calls != 0)
            profile_add_site(p, r);
}

static void read_times(profile_t *p, span_t s)
{
    const Vmpftime_t *r;

    while ((r = next_record(&s, sizeof(*r))) != NULL)
        profile_add_time(p, r);
}

static void read_segments(profile_t *p, span_t s)
{
    const Vmpfsegment_t *r;

    while ((r = next_record(&s, sizeof(*r))) != NULL)
        if (r->ncells <= r->length - sizeof(*r))
            profile_add_segment(p, r);
}

static void read_section(profile_t *p, const Vmpfsection_t *section, span_t s)
{
    static void (*const readers[])(profile_t *, span_t) = {
        NULL,         read_modules, read_stacks, read_places,
        read_regions, read_sites,   read_times,  read_segments,
    };

    if (section->type > 0 && section->type < sizeof(readers) / sizeof(*readers))
        readers[section->type](p, s);
}

/* What of the section at `at` lies in the file.  0: there is none, for a reason that was told. */
static size_t section_size(profile_t *p, size_t at, Vmpfsection_t *section)
{
    size_t left = p->size - at;

    memcpy(section, (char *)p->data + at, sizeof(*section));
    if (section->magic == 0 && section->size == 0 && !p->whole)
        return 0; /* the program was about to begin one */
    if (section->magic != VMPF_SECTION || section->size < sizeof(*section) ||
        section->size % VMPF_UNIT != 0 || section->used > section->size - sizeof(*section)) {
        profile_complain(p, "no section at byte %zu: the rest, %zu bytes, is left out", at, left);
        return 0;
    }
    if (section->size <= left)
        return section->size;
    profile_complain(p, "truncated: a section of %llu bytes at byte %zu ends after %zu",
                     (unsigned long long)section->size, at, left);
    section->state = VMPF_OPEN; /* its checksum is of all of it */
    if (section->used > left - sizeof(*section))
        section->used = left - sizeof(*section);
    return left;
}

static void read_sections(profile_t *p)
{
    size_t at = VMPF_UNIT, size;
    Vmpfsection_t section;

    while (at < p->size && p->size - at >= sizeof(section)) {
        const char *content = (char *)p->data + at + sizeof(section);

        size = section_size(p, at, &section);
        if (size == 0)
            return;
        if (section_sound(&section, content))
            read_section(p, &section, (span_t){content, content + section.used, section.item});
        else
            profile_complain(p,
                             "damaged: the checksum of the section at byte %zu (type %u) is wrong: "
                             "it is left out",
                             at, section.type);
        at += size;
    }
    if (at < p->size)
        profile_complain(p, "truncated: %zu bytes at the end are no section", p->size - at);
}

/* ---- the whole ---- */

/* NULL, or why this is no profile that can be read. */
static const char *unreadable(const void *data, size_t size)
{
    const Vmpfhead_t *head = data;

    if (size < 8 || memcmp(head->magic, VMPF_MAGIC, 8) != 0)
        return "is no profile of vmalloc";
    if (size < VMPF_UNIT)
        return "is the beginning of a profile, cut off before anything of use";
    if (head->order == 0x04030201u)
        return "comes from a machine of the other byte order: read it there";
    if (head->order != VMPF_ORDER || head->size != VMPF_UNIT)
        return "is damaged: its head makes no sense";
    if (head->version != VMPF_VERSION)
        return "is of a version that this command does not know";
    return NULL;
}

static void read_head(profile_t *p)
{
    memcpy(&p->head, p->data, sizeof(p->head));
    if (!head_sound(&p->head))
        profile_complain(p, "damaged: the checksum of the head is wrong");
    p->whole = p->head.state == VMPF_SEALED;
    p->head.command[sizeof(p->head.command) - 1] = '\0';
    p->head.exe[sizeof(p->head.exe) - 1] = '\0';
    if (p->head.mode == VMPF_SAMPLED && p->head.period == 0)
        p->head.period = 1;
}

profile_t *profile_parse(const char *path, void *data, size_t size, char *why, size_t whysize)
{
    const char *reason = unreadable(data, size);
    profile_t *p = reason ? NULL : calloc(1, sizeof(*p));

    if (!p) {
        snprintf(why, whysize, "%s %s", path, reason ? reason : "does not fit into memory");
        free(data);
        return NULL;
    }
    p->data = data;
    p->size = size;
    p->path = strdup(path);
    read_head(p);
    read_sections(p);
    if (profile_finish(p) != 0 || !p->path) {
        snprintf(why, whysize, "%s does not fit into memory", path);
        profile_free(p);
        return NULL;
    }
    return p;
}
