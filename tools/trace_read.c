/* SPDX-License-Identifier: MIT */
/* Reads a trace of either form into memory, and writes it as lines. */
#include "trace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vmalloc/trace.h>

void trace_damage(struct trace *t, const char *format, ...)
{
    va_list args;

    if (t->bad++ > 0)
        return;
    va_start(args, format);
    vsnprintf(t->damage, sizeof(t->damage), format, args);
    va_end(args);
}

int trace_add(struct trace *t, const struct trace_event *e)
{
    if (t->events == t->room) {
        size_t room = t->room ? t->room * 2 : 4096;
        struct trace_event *more = realloc(t->event, room * sizeof(*more));
        if (!more)
            return -1;
        t->event = more;
        t->room = room;
    }
    t->event[t->events++] = *e;
    return 0;
}

static uint32_t new_region(struct trace *t, uint64_t address, char method)
{
    if (t->regions == t->regionroom) {
        uint32_t room = t->regionroom ? t->regionroom * 2 : 16;
        struct trace_region *more = realloc(t->region, room * sizeof(*more));
        if (!more)
            return TRACE_NONE;
        t->region = more;
        t->regionroom = room;
    }
    t->region[t->regions].address = address;
    t->region[t->regions].method = method ? method : 'b';
    return t->regions++;
}

/* A line of vmtrbusy() does not tell the method: it is that of the region known there. */
uint32_t trace_region(struct trace *t, uint64_t address, char method, int fresh)
{
    uint32_t r = fresh ? TRACE_NONE : trace_map_get(&t->known, address);

    if (r != TRACE_NONE && (method == 0 || t->region[r].method == method))
        return r;
    r = new_region(t, address, method);
    if (r != TRACE_NONE && trace_map_put(&t->known, address, r) != 0)
        return TRACE_NONE;
    return r;
}

int trace_parse(struct trace *t, const unsigned char *data, size_t size)
{
    size_t magic = strlen(VM_TRMAGIC);
    int r;

    memset(t, 0, sizeof(*t));
    if (size >= magic && memcmp(data, VM_TRMAGIC, magic) == 0)
        r = trace_binary(t, data, size);
    else
        r = trace_text(t, (const char *)data, size);
    if (r != 0)
        snprintf(t->damage, sizeof(t->damage), "no memory for a trace of %zu bytes", size);
    else if (t->events == 0 && t->damage[0] == '\0')
        snprintf(t->damage, sizeof(t->damage), "the trace is empty");
    return r != 0 || t->events == 0 ? -1 : 0;
}

/* The whole of a file, of any kind.  NULL with errno. */
static unsigned char *slurp(FILE *f, size_t *size)
{
    size_t room = 1 << 20, n = 0, got;
    unsigned char *data = malloc(room), *more;

    while (data && (got = fread(data + n, 1, room - n, f)) > 0) {
        n += got;
        if (n < room)
            continue;
        more = realloc(data, room * 2);
        if (!more)
            free(data);
        data = more;
        room *= 2;
    }
    if (data && ferror(f)) {
        free(data);
        data = NULL;
    }
    *size = n;
    return data;
}

int trace_read(struct trace *t, const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t size = 0;
    unsigned char *data = f ? slurp(f, &size) : NULL;
    int r;

    memset(t, 0, sizeof(*t));
    if (!data) {
        snprintf(t->damage, sizeof(t->damage), "%s", strerror(errno));
        if (f)
            fclose(f);
        return -1;
    }
    fclose(f);
    r = trace_parse(t, data, size);
    free(data);
    return r;
}

void trace_free(struct trace *t)
{
    free(t->event);
    free(t->region);
    trace_map_free(&t->known);
    memset(t, 0, sizeof(*t));
}

void trace_print(const struct trace *t)
{
    size_t i;

    for (i = 0; i < t->events; i++) {
        const struct trace_event *e = &t->event[i];
        const struct trace_region *r = &t->region[e->region];
        if (e->kind >= VM_TROPEN)
            continue;
        printf("%llx:%llx:%llu:%u:%llx:%c:\n", (unsigned long long)e->old,
               (unsigned long long)e->new, (unsigned long long)e->size, e->align,
               (unsigned long long)r->address, e->kind == VM_TRBUSY ? 'u' : r->method);
    }
}
