/* SPDX-License-Identifier: MIT */
/*
 * suppress_read: rules of suppressions from a text.
 *
 *   # a comment                         leak:png_*            as LeakSanitizer has it: anywhere in the
 *   {                                                         stack, in function, file or object
 *      a name                           { double-free; fun:release; fun:main; ... }
 *      leak                             in a line: items end with a line or with ";"
 *      fun:strdup
 *      src:config.c:*
 *      obj:*libfoo.so*
 *      ...
 *   }
 *
 * Kinds are those of JSON reports; several with commas; "access", "free" and "*" stand for many; those
 * of Valgrind's Memcheck are understood.  The text is not trusted: every length is bounded.
 */
#include "suppress.h"

#include <string.h>

typedef struct item {
    const char *s;
    size_t n;
} item_t;

typedef struct reader {
    const char *s, *end;
    unsigned line;
} reader_t;

/* ---- pieces ---- */

static int isspace_(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static item_t trimmed(const char *s, const char *end)
{
    while (s < end && isspace_(*s))
        s++;
    while (s < end && isspace_(end[-1]))
        end--;
    return (item_t){s, (size_t)(end - s)};
}

/* Up to one of the letters, which is passed over; *which gets it, 0 at the end. */
static item_t upto(reader_t *r, const char *letters, char *which)
{
    const char *from = r->s;
    while (r->s < r->end && (*r->s == '\0' || strchr(letters, *r->s) == NULL))
        r->s++;
    *which = r->s < r->end ? *r->s : '\0';
    item_t item = trimmed(from, r->s);
    r->s += r->s < r->end;
    r->line += *which == '\n';
    return item;
}

static int is(item_t i, const char *text)
{
    return i.n == strlen(text) && memcmp(i.s, text, i.n) == 0;
}

static int begins(item_t *i, const char *text)
{
    size_t n = strlen(text);
    if (i->n < n || memcmp(i->s, text, n) != 0)
        return 0;
    *i = (item_t){i->s + n, i->n - n};
    return 1;
}

/* ---- kinds ---- */

#define BIT(kind) ((uint32_t)1 << (kind))
#define ACCESSES (BIT(VMDG_PAST) | BIT(VMDG_BEFORE) | BIT(VMDG_AFTERFREE) | BIT(VMDG_WILD))
#define FREES                                                                                      \
    (BIT(VMDG_DOUBLEFREE) | BIT(VMDG_INSIDE) | BIT(VMDG_NOBLOCK) | BIT(VMDG_FAMILY) |              \
     BIT(VMDG_REGION) | BIT(VMDG_GONE) | BIT(VMDG_SIZE) | BIT(VMDG_ALIGN))

/* Of Memcheck; its other kinds are for what we do not look at. */
static uint32_t memcheck(item_t i)
{
    if (begins(&i, "Addr"))
        return ACCESSES;
    return is(i, "Free") ? FREES : is(i, "Leak") ? BIT(VMDG_LEAK) :
           is(i, "Overlap") ? BIT(VMDG_OVERLAPCOPY) : 0;
}

static int kind(item_t i, uint32_t *kinds)
{
    if (begins(&i, "Memcheck:")) {
        *kinds |= memcheck(i);
        return 0;
    }
    begins(&i, "vmalloc:");
    for (int k = 0; k <= VMDG_STRUCTURE; k++)
        if (is(i, vmdg_kindname((vmdg_kind_t)k))) {
            *kinds |= BIT(k);
            return 0;
        }
    *kinds |= is(i, "*") ? ~(uint32_t)0 : is(i, "access") ? ACCESSES : is(i, "free") ? FREES : 0;
    return is(i, "*") || is(i, "access") || is(i, "free") ? 0 : -1;
}

/* 0 when all of the kinds between commas are known. */
static int kindsof(item_t i, uint32_t *kinds)
{
    reader_t r = {i.s, i.s + i.n, 0};
    char which;
    *kinds = 0;
    do
        if (kind(upto(&r, ",", &which), kinds) != 0)
            return -1;
    while (which == ',');
    return 0;
}

/* ---- rules ---- */

typedef struct draft {
    uint32_t kinds;
    int known; /* the kinds were told */
    size_t n;
    vmdg_pattern_t pattern[VMDG_PATTERNS];
} draft_t;

static int pattern(draft_t *d, item_t i)
{
    vmdg_pattern_t p = {VMDG_DOTS, 0, NULL};
    if (begins(&i, "match-leak-kinds:"))
        return 0;
    if (begins(&i, "fun:"))
        p.what = VMDG_FUNCTION;
    else if (begins(&i, "obj:"))
        p.what = VMDG_OBJECT;
    else if (begins(&i, "src:"))
        p.what = VMDG_SOURCE;
    else if (!is(i, "..."))
        return d->known && d->kinds == 0 ? 0 : -1; /* other kinds of Memcheck have other lines */
    p.text = i.s;
    p.n = i.n;
    if (d->n == VMDG_PATTERNS)
        return -1;
    d->pattern[d->n++] = p;
    return 0;
}

static int one(draft_t *d, item_t i)
{
    if (i.n == 0)
        return 0;
    if (d->known)
        return pattern(d, i);
    d->known = kindsof(i, &d->kinds) == 0;
    return 0; /* else it is the rule's name */
}

static int keep(const draft_t *d)
{
    vmdg_rule_t *rule = vmdg_suppress_take(sizeof *rule + d->n * sizeof d->pattern[0]);
    if (rule == NULL)
        return -1;
    *rule = (vmdg_rule_t){NULL, d->kinds, 0, d->n};
    memcpy(rule->pattern, d->pattern, d->n * sizeof d->pattern[0]);
    vmdg_suppress_add(rule);
    return 0;
}

/* Behind a "{". */
static int braces(reader_t *r)
{
    draft_t d = {0};
    char which = '\n';
    while (which != '}') {
        item_t i = upto(r, "\n;}", &which);
        if (i.n != 0 && i.s[0] == '#') {
            while (which != '\n' && which != '\0')
                upto(r, "\n", &which);
            which = which == '\0' ? '\0' : '\n';
            continue;
        }
        if (which == '\0' || one(&d, i) != 0)
            return -1;
    }
    return d.known && d.n != 0 ? keep(&d) : d.known && d.kinds == 0 ? 0 : -1;
}

/* "kind:pattern", with stars on both sides but where ^ or $ stands. */
static int line(item_t i)
{
    const char *colon = memchr(i.s, ':', i.n);
    draft_t d = {.known = 1, .n = 2};
    char *text;
    size_t n;
    if (colon == NULL || kindsof((item_t){i.s, (size_t)(colon - i.s)}, &d.kinds) != 0)
        return -1;
    n = i.n - (size_t)(colon + 1 - i.s);
    text = n != 0 ? vmdg_suppress_take(n + 2) : NULL;
    if (text == NULL)
        return -1;
    text[0] = text[n + 1] = '*';
    memcpy(text + 1, colon + 1, n);
    d.pattern[1] = (vmdg_pattern_t){VMDG_ANY, n + 2, text};
    if (text[1] == '^')
        d.pattern[1] = (vmdg_pattern_t){VMDG_ANY, n, text + 2};
    if (n > 1 && text[n] == '$')
        d.pattern[1].n -= 2;
    return keep(&d);
}

int vmdg_suppress_parse(const char *text, size_t n, unsigned *at)
{
    char *copy = vmdg_suppress_take(n);
    reader_t r = {copy, copy + n, 1};
    int rules = 0;
    if (copy == NULL)
        return -1;
    memcpy(copy, text, n);
    while (r.s < r.end) {
        item_t i;
        char which;
        *at = r.line;
        while (r.s < r.end && isspace_(*r.s))
            r.s++;
        if (r.s < r.end && *r.s == '{') {
            r.s++;
            if (braces(&r) != 0)
                return -1;
            rules++;
            continue;
        }
        i = upto(&r, "\n", &which);
        if (i.n == 0 || i.s[0] == '#')
            continue;
        if (line(i) != 0)
            return -1;
        rules++;
    }
    return rules;
}
