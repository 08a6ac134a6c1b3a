/* SPDX-License-Identifier: MIT */
/*
 * options: VMALLOC_OPTIONS and the older VMETHOD, which counts when the former is not set.
 *
 *   options   option { separator option }      separator: comma, space, tab, CR, LF
 *   option    name | name=value                value: up to the next separator
 *
 * The table is the list of what exists.  A name is known when it is the beginning of a word of the
 * table and has the letters by which the original knew it.  What is not known, or not part of this
 * version, is told in one line each.  The variables are not read in set-user-ID programs.
 */
#include "options.h"
#include "base.h"

#include <string.h>

vmma_options_t vmma_options = {.warnfd = -1};

/* A piece of the text. */
typedef struct word {
    const char *s;
    size_t n;
} word_t;

typedef struct option {
    const char *name;
    size_t least;                /* letters that must be there */
    int (*set)(word_t value);    /* 0, or -1: the value makes no sense; NULL: not in this version */
} option_t;

static int is(word_t w, const char *s)
{
    return strlen(s) == w.n && strncmp(w.s, s, w.n) == 0;
}

static void warn(const char *what, word_t w, const char *why)
{
    vmb_fault("%s \"%.*s\": %s", what, (int)VMB_MIN(w.n, 64), w.s, why);
}

/* ---- values ---- */

static int isdigit10(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Power of 1000, or with an i of 1024, that a suffix stands for: "k", "Ki", "kib".  0: none. */
static size_t unit(word_t suffix)
{
    static const char letters[] = "kmgt";
    const char *at = suffix.n > 0 ? strchr(letters, lower(suffix.s[0])) : NULL;
    size_t base = suffix.n > 1 && lower(suffix.s[1]) == 'i' ? 1024 : 1000, u = 1, rest;
    if (suffix.n == 0)
        return 1;
    if (at == NULL || *at == '\0')
        return 0;
    rest = suffix.n - (base == 1024 ? 2 : 1);
    if (rest > 1 || (rest == 1 && lower(suffix.s[suffix.n - 1]) != 'b'))
        return 0;
    for (; at >= letters; at--)
        if (vmb_mulover(u, base, &u))
            return 0;
    return u;
}

/* A number with a suffix; 0 when it is none. */
static size_t number(word_t w)
{
    size_t x = 0;
    for (; w.n > 0 && isdigit10(*w.s); w.s++, w.n--)
        if (vmb_mulover(x, 10, &x) || vmb_addover(x, (size_t)(*w.s - '0'), &x))
            return 0;
    return vmb_mulover(x, unit(w), &x) ? 0 : x;
}

/* The number in "&n" or "/dev/fd/n".  -1: is none. */
static int descriptor(word_t w)
{
    static const char dev[] = "/dev/fd/";
    size_t skip = w.s[0] == '&' ? 1 : sizeof(dev) - 1;
    int n = 0;
    if (w.n <= skip || w.n > skip + 6 || (skip > 1 && strncmp(w.s, dev, skip) != 0))
        return -1;
    for (size_t i = skip; i < w.n; i++) {
        if (!isdigit10(w.s[i]))
            return -1;
        n = n * 10 + (w.s[i] - '0');
    }
    return n;
}

/* A file to write to, with %p for the process number.  Its descriptor, or -1. */
static int openfile(word_t w)
{
    char path[1024];
    vmb_out_t o;
    int fd = descriptor(w);
    if (fd >= 0)
        return vmos_copyfd(fd);
    vmb_out_init(&o, path, sizeof(path));
    for (size_t i = 0; i < w.n; i++) {
        if (i + 1 < w.n && w.s[i] == '%' && w.s[i + 1] == 'p') {
            vmb_printf(&o, "%ld", vmos_pid());
            i++;
        } else {
            vmb_printf(&o, "%c", w.s[i]);
        }
    }
    return o.len + 1 < sizeof(path) ? vmos_create(path) : -1;
}

/* "Vm" in letters of any case may stand in front of a method's name. */
static word_t without_vm(word_t w)
{
    if (w.n > 2 && lower(w.s[0]) == 'v' && lower(w.s[1]) == 'm')
        return (word_t){w.s + 2, w.n - 2};
    return w;
}

/* ---- what options do ---- */

static int set_abort(word_t value)
{
    (void)value;
    vmma_options.noabort = 0;
    return 0;
}

static int set_noabort(word_t value)
{
    (void)value;
    vmma_options.noabort = 1;
    return 0;
}

static int set_keep(word_t value)
{
    (void)value;
    vmma_options.keep = 1;
    return 0;
}

static int set_break(word_t value)
{
    (void)value;
    vmma_options.brk = 1;
    return 0;
}

static int set_mmap(word_t value)
{
    (void)value;
    vmma_options.brk = 0;
    return 0;
}

static int set_verbose(word_t value)
{
    (void)value;
    vmma_options.verbose = 1;
    return 0;
}

static int set_usage(word_t value)
{
    (void)value;
    vmma_options.usage = 1;
    return 0;
}

/* Blocks are always freed at once. */
static int set_free(word_t value)
{
    (void)value;
    return 0;
}

static int set_segsize(word_t value)
{
    size_t n = number(value);
    if (n == 0 || n > SIZE_MAX / 4)
        return -1;
    vmma_options.segsize = n;
    return 0;
}

static int set_warn(word_t value)
{
    int fd = value.n > 0 ? openfile(value) : -1;
    if (fd < 0)
        return -1;
    vmma_options.warnfd = fd;
    return 0;
}

/* The first method counts, as in the original. */
static int set_method(word_t value)
{
    word_t name = without_vm(value);
    Vmethod_t *m = is(name, "best") ? Vmbest : is(name, "last") ? Vmlast : NULL;
    if (m == NULL && is(name, "pool"))
        m = Vmpool;
    if (m == NULL)
        return -1;
    if (vmma_options.method == NULL)
        vmma_options.method = m;
    return 0;
}

/* One source of the list; what names mappings of some kind is mappings. */
static int set_source(word_t w)
{
    static const char *const mappings[] = {"anon", "mmap", "mm", "native", "safe", "zero"};
    int no = w.n > 2 && strncmp(w.s, "no", 2) == 0;
    if (no) {
        w.s += 2, w.n -= 2;
        if (w.s[0] == '-' && w.n > 1)
            w.s++, w.n--;
    }
    if (is(w, "break") || is(w, "sbrk")) {
        vmma_options.brk = !no;
        return 0;
    }
    for (size_t i = 0; i < sizeof(mappings) / sizeof(*mappings); i++)
        if (is(w, mappings[i]))
            return 0;
    return -1;
}

static int set_getmemory(word_t value)
{
    int r = value.n > 0 ? 0 : -1;
    vmma_options.brk = 0;
    while (value.n > 0) {
        const char *colon = memchr(value.s, ':', value.n);
        size_t n = colon != NULL ? (size_t)(colon - value.s) : value.n;
        if (set_source((word_t){value.s, n}) < 0)
            r = -1;
        n += colon != NULL;
        value.s += n;
        value.n -= n;
    }
    return r;
}

static const option_t options[] = {
    {"abort", 1, set_abort},
    {"break", 1, set_break},
    {"check", 1, NULL},
    {"debug", 1, NULL},
    {"free", 1, set_free},
    {"getmemory", 1, set_getmemory},
    {"keep", 1, set_keep},
    {"method", 2, set_method},
    {"mmap", 2, set_mmap},
    {"noabort", 3, set_noabort},
    {"pagesize", 2, NULL},
    {"period", 2, NULL},
    {"profile", 2, NULL},
    {"segsize", 2, set_segsize},
    {"start", 1, NULL},
    {"test", 2, NULL},
    {"trace", 1, NULL},
    {"usage", 1, set_usage},
    {"verbose", 1, set_verbose},
    {"warn", 3, set_warn},
    {"watch", 3, NULL},
};

/* ---- reading ---- */

static const option_t *find(word_t name)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
        if (name.n >= options[i].least && name.n <= strlen(options[i].name) &&
            strncmp(options[i].name, name.s, name.n) == 0)
            return &options[i];
    return NULL;
}

static void setoption(word_t w)
{
    const char *equal = memchr(w.s, '=', w.n);
    word_t name = {w.s, equal != NULL ? (size_t)(equal - w.s) : w.n};
    word_t value = {w.s + name.n + (equal != NULL), w.n - name.n - (equal != NULL)};
    const option_t *o = find(name);
    if (o == NULL)
        warn("VMALLOC_OPTIONS", w, "no such option");
    else if (o->set == NULL)
        warn("VMALLOC_OPTIONS", w, "not in this version");
    else if (o->set(value) < 0)
        warn("VMALLOC_OPTIONS", w, "the value makes no sense");
}

void vmma_options_parse(const char *text)
{
    static const char separators[] = ", \t\r\n";
    for (;;) {
        size_t n;
        text += strspn(text, separators);
        n = strcspn(text, separators);
        if (n == 0)
            return;
        setoption((word_t){text, n});
        text += n;
    }
}

/* As in the original, spellings that it does not know are passed over. */
static void readolder(void)
{
    static const char *const absent[] = {"VMDEBUG", "VMPROFILE", "VMTRACE", "VMCHECK"};
    const char *s = vmos_getenv("VMETHOD");
    if (s != NULL && (s[0] == 'V' || s[0] == 'v') && s[1] == 'm')
        if (set_method((word_t){s, strlen(s)}) < 0)
            warn("VMETHOD", (word_t){s, strlen(s)}, "not in this version");
    for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++) {
        s = vmos_getenv(absent[i]);
        if (s != NULL && *s != '\0')
            warn(absent[i], (word_t){s, strlen(s)}, "not in this version");
    }
}

void vmma_options_read(void)
{
    const char *s = vmos_getenv("VMALLOC_OPTIONS");
    if (s != NULL)
        vmma_options_parse(s);
    else
        readolder();
}
