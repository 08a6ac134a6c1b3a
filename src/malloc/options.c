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

/* What to tell of an option; NULL: it took effect. */
typedef const char *answer_t;
static const char nosuch[] = "no such option";
static const char nosense[] = "the value makes no sense";
static const char notnow[] = "not in this version";

typedef struct option {
    const char *name;
    size_t least; /* letters that must be there */
    answer_t (*set)(word_t value);
} option_t;

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* s: in small letters. */
static int is(word_t w, const char *s)
{
    size_t i = 0;
    while (i < w.n && s[i] != '\0' && lower(w.s[i]) == s[i])
        i++;
    return i == w.n && s[i] == '\0';
}

static void tell(const char *what, word_t w, answer_t why)
{
    if (why != NULL)
        vmb_fault("%s \"%.*s\": %s", what, (int)VMB_MIN(w.n, 64), w.s, why);
}

/* ---- values ---- */

static int isdigit10(char c)
{
    return c >= '0' && c <= '9';
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

static answer_t set_abort(word_t value)
{
    (void)value;
    vmma_options.noabort = 0;
    return NULL;
}

static answer_t set_noabort(word_t value)
{
    (void)value;
    vmma_options.noabort = 1;
    return NULL;
}

static answer_t set_keep(word_t value)
{
    (void)value;
    vmma_options.keep = 1;
    return NULL;
}

static answer_t set_break(word_t value)
{
    (void)value;
    vmma_options.brk = 1;
    return NULL;
}

static answer_t set_mmap(word_t value)
{
    (void)value;
    vmma_options.brk = 0;
    return NULL;
}

static answer_t set_verbose(word_t value)
{
    (void)value;
    vmma_options.verbose = 1;
    return NULL;
}

static answer_t set_usage(word_t value)
{
    (void)value;
    vmma_options.usage = 1;
    return NULL;
}

static answer_t absent(word_t value)
{
    (void)value;
    return notnow;
}

/* Blocks are always freed at once. */
static answer_t set_free(word_t value)
{
    (void)value;
    return NULL;
}

static answer_t set_segsize(word_t value)
{
    size_t n = number(value);
    if (n == 0 || n > SIZE_MAX / 4)
        return nosense;
    vmma_options.segsize = n;
    return NULL;
}

static answer_t set_warn(word_t value)
{
    int fd = value.n > 0 ? openfile(value) : -1;
    if (fd < 0)
        return nosense;
    vmma_options.warnfd = fd;
    return NULL;
}

/* The first method counts, as in the original. */
static answer_t set_method(word_t value)
{
    word_t name = without_vm(value);
    Vmethod_t *m = is(name, "best") ? Vmbest : is(name, "last") ? Vmlast : NULL;
    if (m == NULL && is(name, "pool"))
        m = Vmpool;
    if (m == NULL)
        return is(name, "debug") || is(name, "profile") ? notnow : nosense;
    if (vmma_options.method == NULL)
        vmma_options.method = m;
    return NULL;
}

/* One source of the list; what names mappings of some kind is mappings. */
static answer_t set_source(word_t w)
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
        return NULL;
    }
    for (size_t i = 0; i < sizeof(mappings) / sizeof(*mappings); i++)
        if (is(w, mappings[i]))
            return NULL;
    return nosense;
}

static answer_t set_getmemory(word_t value)
{
    answer_t r = value.n > 0 ? NULL : nosense;
    vmma_options.brk = 0;
    while (value.n > 0) {
        const char *colon = memchr(value.s, ':', value.n);
        size_t n = colon != NULL ? (size_t)(colon - value.s) : value.n;
        if (set_source((word_t){value.s, n}) != NULL)
            r = nosense;
        n += colon != NULL;
        value.s += n;
        value.n -= n;
    }
    return r;
}

static const option_t options[] = {
    {"abort", 1, set_abort},     {"break", 1, set_break},     {"check", 1, absent},
    {"debug", 1, absent},        {"free", 1, set_free},       {"getmemory", 1, set_getmemory},
    {"keep", 1, set_keep},       {"method", 2, set_method},   {"mmap", 2, set_mmap},
    {"noabort", 3, set_noabort}, {"pagesize", 2, absent},     {"period", 2, absent},
    {"profile", 2, absent},      {"segsize", 2, set_segsize}, {"start", 1, absent},
    {"test", 2, absent},         {"trace", 1, absent},        {"usage", 1, set_usage},
    {"verbose", 1, set_verbose}, {"warn", 3, set_warn},       {"watch", 3, absent},
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
    tell("VMALLOC_OPTIONS", w, o != NULL ? o->set(value) : nosuch);
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

/* As in the original, VMETHOD without Vm is passed over. */
static void readolder(void)
{
    static const char *const others[] = {"VMDEBUG", "VMPROFILE", "VMTRACE", "VMCHECK"};
    const char *s = vmos_getenv("VMETHOD");
    if (s != NULL && (s[0] == 'V' || s[0] == 'v') && s[1] == 'm')
        tell("VMETHOD", (word_t){s, strlen(s)}, set_method((word_t){s, strlen(s)}));
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        s = vmos_getenv(others[i]);
        if (s != NULL && *s != '\0')
            tell(others[i], (word_t){s, strlen(s)}, notnow);
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
