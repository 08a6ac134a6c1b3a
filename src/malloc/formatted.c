/* SPDX-License-Identifier: MIT */
/*
 * formatted: printf() and its like, narrow and wide, with and without _FORTIFY_SOURCE: the strings that
 * %s and %ls take are looked up, and the room of what sprintf() and its like write to.
 *
 * The format is read as libc reads it, beside a copy of the arguments.  Where it has what is not known
 * here, arguments by number or conversions of the program's own, the rest of it is not looked at: so
 * nothing is told that libc would not do.  How long a text becomes is asked of libc, with no room, and
 * only if it goes to a block that may be too small for it; a wide one is tried in the room that is there.
 *
 * A number of 4 or 8 bytes, or a text, that is made of the bytes that new or freed memory is filled with
 * was never written, or freed.
 *
 * Cost: the length of the format, and a look into the index for each string.
 */
#define _GNU_SOURCE 1
#include "books.h"
#include "checked.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ALL ((size_t)-1)

/* ---- strings ---- */

/* A text begins with what was never written.  n: bytes of it that there are at least. */
static void unwritten(const char *s, size_t n, size_t value, const char *call)
{
    int filling = n >= 2 * sizeof(uint32_t) ? vmdg_filling(s, 2 * sizeof(uint32_t)) : 0;
    if (VMOS_UNLIKELY(filling == VMDG_NEWBYTE))
        vmdg_printed(filling, value, call);
}

void vmma_text(const char *s, size_t n, size_t value, const char *call)
{
    size_t room = s != NULL ? vmdg_room(s) : 0;
    if (s == NULL || n == 0)
        return;
    if (room == ALL)
        vmdg_access(s, 1, 0, call); /* told if it was freed */
    else if (room < n && memchr(s, 0, room) == NULL)
        vmdg_access(s, room + 1, 0, call);
    else
        unwritten(s, VMB_MIN(n, room), value, call);
}

/* No wide character is made of what memory is filled with: one that was copied from there is enough. Of a
 * block there is more to tell, and it was. */
static void widetext(const wchar_t *s, size_t n, size_t value, const char *call)
{
    int begins = s != NULL && n != 0 && vmma_wlength(s, n, call) != 0 && vmdg_leafof((uintptr_t)s) == NULL;
    int filling = begins ? vmdg_filling(s, sizeof *s) : 0;
    if (VMOS_UNLIKELY(filling != 0))
        vmdg_printed(filling, value, call);
}

/* ---- formats ---- */

typedef struct reader {
    const void *format;
    int wide; /* the format is of wide characters */
    size_t at, values;
    const char *call;
    va_list ap;
} reader_t;

/* The next character; 0 too for those that mean nothing in a format. */
static int peek(const reader_t *r)
{
    wchar_t c;
    if (!r->wide)
        return ((const char *)r->format)[r->at];
    c = ((const wchar_t *)r->format)[r->at];
    return c > 0 && c < 128 ? (int)c : c == 0 ? 0 : '?';
}

static int taken(reader_t *r, const char *any)
{
    int c = peek(r);
    if (c == 0 || strchr(any, c) == NULL)
        return 0;
    r->at++;
    return c;
}

/* A number or a star; -1: there is none, or it is negative. */
static long number(reader_t *r)
{
    long n = 0;
    int c = taken(r, "*0123456789");
    if (c == 0)
        return -1;
    if (c == '*')
        return va_arg(r->ap, int);
    for (; c != 0; c = taken(r, "0123456789"))
        n = n < INT_MAX ? n * 10 + (c - '0') : n;
    return n;
}

/* How wide an argument is: h for int and less, then l, L for long long and long double, j, z, t. */
static int length(reader_t *r)
{
    int c = taken(r, "hlqLjzZt");
    if ((c == 'h' || c == 'l') && taken(r, c == 'h' ? "h" : "l"))
        return c == 'h' ? 'h' : 'L';
    return c == 'q' ? 'L' : c == 'Z' ? 'z' : c;
}

static void number_of(const reader_t *r, const void *bytes, size_t n)
{
    int filling = vmdg_filling(bytes, n);
    if (VMOS_UNLIKELY(filling != 0))
        vmdg_printed(filling, r->values, r->call);
}

#define TAKE(type)                                                                                  \
    do {                                                                                            \
        type v = va_arg(r->ap, type);                                                               \
        number_of(r, &v, sizeof v);                                                                 \
    } while (0)

static void integer(reader_t *r, int len)
{
    switch (len) {
    case 'h': (void)va_arg(r->ap, int); break;
    case 'l': TAKE(long); break;
    case 'L': TAKE(long long); break;
    case 'j': TAKE(intmax_t); break;
    case 'z': TAKE(size_t); break;
    case 't': TAKE(ptrdiff_t); break;
    default: TAKE(int); break;
    }
}

/* Whether it was a float of such bytes.  That becomes a double, and not the other way: too large a double, or one that
 * is no number, would set flags of the program's, or end it where it has asked for signals. */
static int wasfloat(const double *v, int byte)
{
    float f;
    double d;
    memset(&f, byte, sizeof f);
    d = f;
    return memcmp(v, &d, sizeof d) == 0;
}

/* It may have been a float before. */
void vmma_fraction(double v, size_t value, const char *call)
{
    int filling = wasfloat(&v, VMDG_NEWBYTE)     ? VMDG_NEWBYTE
                  : wasfloat(&v, VMDG_FREEDBYTE) ? VMDG_FREEDBYTE
                                                 : vmdg_filling(&v, sizeof v);
    if (VMOS_UNLIKELY(filling != 0))
        vmdg_printed(filling, value, call);
}

/* A precision counts bytes that are written, or wide characters: at least so many are read, but of wide
 * characters that become bytes perhaps only a part of it. */
static void string(reader_t *r, int wide, long precision)
{
    if (wide)
        widetext(va_arg(r->ap, const wchar_t *),
                 precision < 0 ? ALL : (size_t)precision / (r->wide ? 1 : MB_LEN_MAX), r->values, r->call);
    else
        vmma_text(va_arg(r->ap, const char *), precision < 0 ? ALL : (size_t)precision, r->values, r->call);
}

/* -1: there is none. */
static long precision(reader_t *r)
{
    int c;
    if (!taken(r, "."))
        return -1;
    c = peek(r);
    return c == '*' || (c >= '0' && c <= '9') ? number(r) : 0;
}

/* Behind a %.  0: what follows cannot be told. */
static int conversion(reader_t *r)
{
    long most;
    int len, c;
    while (taken(r, "-+ #0'I"))
        continue;
    number(r);
    most = precision(r);
    len = length(r);
    c = taken(r, "%mdiouxXcCsSpneEfFgGaA");
    if (c == 0)
        return 0;
    r->values += c != '%' && c != 'm';
    if (strchr("diouxX", c) != NULL)
        integer(r, len);
    else if (strchr("eEfFgGaA", c) != NULL && len == 'L')
        (void)va_arg(r->ap, long double);
    else if (strchr("eEfFgGaA", c) != NULL)
        vmma_fraction(va_arg(r->ap, double), r->values, r->call);
    else if (c == 'c' || c == 'C')
        TAKE(wint_t);
    else if (c == 'p' || c == 'n')
        (void)va_arg(r->ap, void *);
    else if (c == 's' || c == 'S')
        string(r, c == 'S' || len == 'l', most);
    return 1;
}

static void strings(const char *call, int wide, const void *format, va_list ap)
{
    reader_t r = {.format = format, .wide = wide, .call = call};
    int c;
    va_copy(r.ap, ap);
    while ((c = peek(&r)) != 0) {
        r.at++;
        if (c == '%' && !conversion(&r))
            break;
    }
    va_end(r.ap);
}

/* Without a format glibc returns -1, and takes no argument. */
static void look(const char *call, const char *format, va_list ap)
{
    if (format == NULL)
        return;
    vmma_text(format, ALL, VMDG_TEXT, call);
    strings(call, 0, format, ap);
}

static void wlook(const char *call, const wchar_t *format, va_list ap)
{
    if (format == NULL)
        return;
    widetext(format, ALL, VMDG_TEXT, call);
    strings(call, 1, format, ap);
}

/* ---- where it goes ---- */

/* At most n bytes go to `to`. */
static void target(const char *call, char *to, size_t n, const char *format, va_list ap)
{
    size_t room = n != 0 && format != NULL ? vmdg_room(to) : ALL;
    va_list again;
    int len;
    if (room == ALL)
        vmdg_access(to, n != 0, 1, call);
    if (room >= n)
        return;
    va_copy(again, ap);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len >= 0)
        vmdg_access(to, VMB_MIN((size_t)len + 1, n), 1, call);
}

/* As target(), but vswprintf() tells no length: it does what the call will do, in the room that is there, and
 * what has no place there was meant to go beyond. */
static void widetarget(const char *call, wchar_t *to, size_t n, const wchar_t *format, va_list ap)
{
    size_t room = n != 0 && format != NULL ? vmdg_room(to) : ALL, most = room / sizeof *to;
    int keep = errno, len;
    va_list again;
    if (room == ALL)
        vmdg_access(to, n != 0, 1, call);
    if (room == ALL || most >= n)
        return;
    va_copy(again, ap);
    errno = 0;
    len = vswprintf(to, most, format, again);
    va_end(again);
    if (len < 0 && errno != EILSEQ && errno != ENOMEM)
        vmdg_access(to, VMMA_WIDE(most + 1), 1, call);
    errno = keep;
}

/* ---- the functions ---- */

#define LOOK_printf look(call, format, ap)
#define LOOK_dprintf look(call, format, ap)
#define LOOK_asprintf look(call, format, ap)
#define GONE                                                                                        \
    if (vmma_isgone(file, call))                                                                    \
    return -1
#define LOOK_fprintf                                                                                \
    GONE;                                                                                           \
    look(call, format, ap)
#define LOOK_sprintf look(call, format, ap), target(call, to, ALL, format, ap)
#define LOOK_snprintf look(call, format, ap), target(call, to, n, format, ap)
#define LOOK_wprintf wlook(call, format, ap)
#define LOOK_fwprintf                                                                               \
    GONE;                                                                                           \
    wlook(call, format, ap)
#define LOOK_swprintf wlook(call, format, ap), widetarget(call, to, n, format, ap)

#define BARE(...) __VA_ARGS__

/* What is called with arguments, and what is called with a list of them. */
#define DEFINE(name, symbol, vsymbol, vreal, parameters, arguments)                                 \
    static int do_##symbol(const char *call, BARE parameters, va_list ap)                           \
    {                                                                                               \
        LOOK_##name;                                                                                \
        return vreal(BARE arguments, ap);                                                           \
    }                                                                                               \
    int vmma_##vsymbol(BARE parameters, va_list ap)                                                 \
    {                                                                                               \
        return do_##symbol("v" #name, BARE arguments, ap);                                          \
    }                                                                                               \
    int vmma_##symbol(BARE parameters, ...)                                                         \
    {                                                                                               \
        va_list ap;                                                                                 \
        int r;                                                                                      \
        va_start(ap, format);                                                                       \
        r = do_##symbol(#name, BARE arguments, ap);                                                 \
        va_end(ap);                                                                                 \
        return r;                                                                                   \
    }
#define DEFINE_PLAIN(name, parameters, arguments) DEFINE(name, name, v##name, v##name, parameters, arguments)
#define DEFINE_CHK(name, parameters, arguments)                                                     \
    DEFINE(name, name##_chk, v##name##_chk, __v##name##_chk, parameters, arguments)
VMMA_FORMATTED(DEFINE_PLAIN)
VMMA_FORMATTED_CHK(DEFINE_CHK)
