/* SPDX-License-Identifier: MIT */
/*
 * Lines of a trace: OLD:NEW:SIZE:ALIGN:REGION:METHOD:[LOCATION:]
 *
 * Addresses with 0x or without, methods as letters or words, five fields at least the first six:
 * what the versions of the original wrote.  A line that is none is counted and passed over.
 */
#include "trace.h"

#include <string.h>

#include <vmalloc/trace.h>

struct field {
    const char *s;
    size_t n;
};

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

static int number(struct field f, unsigned base, uint64_t *x)
{
    *x = 0;
    if (base == 16 && f.n > 2 && f.s[0] == '0' && (f.s[1] == 'x' || f.s[1] == 'X')) {
        f.s += 2;
        f.n -= 2;
    }
    if (f.n == 0 || f.n > 20)
        return -1;
    for (; f.n > 0; f.s++, f.n--) {
        unsigned d = (unsigned)digit(*f.s);
        if (d >= base || *x > (UINT64_MAX - d) / base)
            return -1;
        *x = *x * base + d;
    }
    return 0;
}

/* Letter of a method, 0: none. */
static char method(struct field f)
{
    static const struct {
        const char *word;
        char letter;
    } words[] = {{"best", 'b'},    {"last", 'l'},  {"pool", 'p'},
                 {"profile", 's'}, {"debug", 'd'}, {"busy", 'u'}};
    size_t i;

    if (f.n == 1 && memchr("blpsdux", f.s[0], 7))
        return f.s[0];
    for (i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (f.n == strlen(words[i].word) && memcmp(f.s, words[i].word, f.n) == 0)
            return words[i].letter;
    return 0;
}

static int split(const char *s, size_t n, struct field f[6])
{
    const char *end = s + n;
    int i;

    for (i = 0; i < 6; i++) {
        const char *colon = memchr(s, ':', (size_t)(end - s));
        if (!colon)
            return -1;
        f[i].s = s;
        f[i].n = (size_t)(colon - s);
        s = colon + 1;
    }
    return s == end || end[-1] == ':' ? 0 : -1;
}

static uint8_t kind(const struct trace_event *e, char letter)
{
    if (letter == 'u')
        return VM_TRBUSY;
    if (e->old == 0 && e->new == 0)
        return VM_TRCOMPACT;
    if (e->old == 0)
        return e->align ? VM_TRALIGN : VM_TRALLOC;
    return e->new ? VM_TRRESIZE : VM_TRFREE;
}

/* 1: it is a line of a trace; 0: not; -1: no memory. */
static int line(struct trace *t, const char *s, size_t n, uint64_t at)
{
    struct trace_event e = {0};
    uint64_t align, region;
    struct field f[6];
    char letter;

    if (split(s, n, f) != 0 || number(f[0], 16, &e.old) != 0 || number(f[1], 16, &e.new) != 0 ||
        number(f[2], 10, &e.size) != 0 || number(f[3], 10, &align) != 0 ||
        number(f[4], 16, &region) != 0 || align > UINT32_MAX || (letter = method(f[5])) == 0)
        return 0;
    e.align = (uint32_t)align;
    e.seq = at;
    e.kind = kind(&e, letter);
    e.region = trace_region(t, region, letter == 'u' ? 0 : letter, 0);
    if (e.region == TRACE_NONE || trace_add(t, &e) != 0)
        return -1;
    return 1;
}

int trace_text(struct trace *t, const char *data, size_t size)
{
    uint64_t at = 0;

    t->threads = 1;
    t->ended = 1;
    while (size > 0) {
        const char *end = memchr(data, '\n', size);
        size_t n = end ? (size_t)(end - data) : size;
        int r = end ? line(t, data, n, ++at) : 0;
        if (r < 0)
            return -1;
        if (!end)
            trace_damage(t, "line %llu is cut off", (unsigned long long)++at);
        else if (r == 0)
            trace_damage(t, "line %llu is not one of a trace", (unsigned long long)at);
        n += end != NULL;
        data += n;
        size -= n;
    }
    return 0;
}
