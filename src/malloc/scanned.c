/* SPDX-License-Identifier: MIT */
/*
 * scanned: scanf() and its like: what they read from is looked up before, what they wrote to afterwards, when it is
 * known how many conversions there were, and how long the texts are.
 *
 *   format   % | * | width | a m | length | conversion, or [set]
 *
 * The format is read as libc reads it.  Where it has what is not known here, arguments by number, the rest of it is
 * not looked at.  glibc's headers make these functions others, __isoc99_sscanf() and since 2.38 __isoc23_sscanf():
 * each is named by its symbol, as in numbers.c.
 *
 * Cost: the length of the format, and a look into the index for each argument.
 */
#include "books.h"
#include "checked.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ALL ((size_t)-1)

/* ---- formats ---- */

typedef struct scan {
    const char *at;
    const char *call;
    int left; /* conversions that were stored */
    va_list ap;
} scan_t;

static int taken(scan_t *s, const char *any)
{
    int c = *s->at;
    if (c == 0 || strchr(any, c) == NULL)
        return 0;
    s->at++;
    return c;
}

/* 0: there is none. */
static size_t width(scan_t *s)
{
    size_t n = 0;
    for (int c = taken(s, "0123456789"); c != 0; c = taken(s, "0123456789"))
        n = n < INT_MAX ? n * 10 + (size_t)(c - '0') : n;
    return n;
}

/* H for hh, h, l, L for ll and long double, j, z, t. */
static int length(scan_t *s)
{
    int c = taken(s, "hlqLjzt");
    if ((c == 'h' || c == 'l') && taken(s, c == 'h' ? "h" : "l"))
        return c == 'h' ? 'H' : 'L';
    return c == 'q' ? 'L' : c;
}

/* Behind a [: a ] that comes first is one of the set. */
static void skipset(scan_t *s)
{
    taken(s, "^");
    taken(s, "]");
    while (*s->at != 0 && *s->at != ']')
        s->at++;
    taken(s, "]");
}

static size_t integersize(int len)
{
    switch (len) {
    case 'H': return sizeof(char);
    case 'h': return sizeof(short);
    case 'l': return sizeof(long);
    case 'L': return sizeof(long long);
    case 'j': return sizeof(intmax_t);
    case 'z': return sizeof(size_t);
    case 't': return sizeof(ptrdiff_t);
    default: return sizeof(int);
    }
}

static size_t realsize(int len)
{
    return len == 'L' ? sizeof(long double) : len == 'l' ? sizeof(double) : sizeof(float);
}

/* ---- what was stored ---- */

/* As far as a text goes, which may be beyond the block. */
static void text(const scan_t *s, const void *to, int wide)
{
    size_t room = vmdg_room(to), size = wide ? sizeof(wchar_t) : 1;
    if (room != ALL && (wide ? wcsnlen(to, room / size) : strnlen(to, room)) < room / size)
        return;
    if (room == ALL)
        vmdg_access(to, size, 1, s->call);
    else
        vmdg_access(to, ((wide ? wcslen(to) : strlen(to)) + 1) * size, 1, s->call);
}

static void stored(const scan_t *s, void *to, int c, size_t n, int len)
{
    int wide = c == 'C' || c == 'S' || len == 'l';
    if (strchr("sS[", c) != NULL)
        text(s, to, wide);
    else if (c == 'c' || c == 'C')
        vmdg_access(to, (n != 0 ? n : 1) * (wide ? sizeof(wchar_t) : 1), 1, s->call);
    else if (c == 'p')
        vmdg_access(to, sizeof(void *), 1, s->call);
    else
        vmdg_access(to, strchr("aAeEfFgG", c) != NULL ? realsize(len) : integersize(len), 1, s->call);
}

/* Behind a %.  0: what follows cannot be told. */
static int conversion(scan_t *s)
{
    int none = taken(s, "*"), made, len, c;
    size_t n;
    void *to;
    taken(s, "'");
    n = width(s);
    made = taken(s, "m");
    len = length(s);
    c = taken(s, "%diouxXaAeEfFgGcCsS[pn");
    if (c == '[')
        skipset(s);
    if (c == '%' || none)
        return c != 0;
    if (c == 0 || s->left <= 0)
        return 0;
    to = va_arg(s->ap, void *);
    stored(s, to, made ? 'p' : c, n, len);
    s->left -= c != 'n';
    return 1;
}

static void look(const char *call, const char *format, int n, va_list ap)
{
    scan_t s = {.at = format, .call = call, .left = n};
    va_copy(s.ap, ap);
    while (s.left > 0 && *s.at != 0)
        if (*s.at++ == '%' && !conversion(&s))
            break;
    va_end(s.ap);
}

/* ---- the functions ---- */

#define FROM_scanf (void)0
#define FROM_fscanf                                                                                 \
    if (vmma_isgone(file, call))                                                                    \
    return EOF
#define FROM_sscanf vmma_length(s, ALL, call)

#define BARE(...) __VA_ARGS__

#define DEFINE(prefix, name, parameters, arguments)                                                 \
    static int do_##prefix##name(const char *call, BARE parameters, va_list ap)                     \
    {                                                                                               \
        va_list again;                                                                              \
        int n;                                                                                      \
        FROM_##name;                                                                                \
        vmma_length(format, ALL, call);                                                             \
        va_copy(again, ap);                                                                         \
        n = vmma_libc_##prefix##v##name(BARE arguments, again);                                     \
        va_end(again);                                                                              \
        look(call, format, n, ap);                                                                  \
        return n;                                                                                   \
    }                                                                                               \
    int vmma_##prefix##v##name(BARE parameters, va_list ap)                                         \
    {                                                                                               \
        return do_##prefix##name("v" #name, BARE arguments, ap);                                    \
    }                                                                                               \
    int vmma_##prefix##name(BARE parameters, ...)                                                   \
    {                                                                                               \
        va_list ap;                                                                                 \
        int n;                                                                                      \
        va_start(ap, format);                                                                       \
        n = do_##prefix##name(#name, BARE arguments, ap);                                           \
        va_end(ap);                                                                                 \
        return n;                                                                                   \
    }
#define DEFINE_ALL(name, parameters, arguments)                                                     \
    DEFINE(, name, parameters, arguments)                                                           \
    DEFINE(c99_, name, parameters, arguments)                                                       \
    DEFINE(c23_, name, parameters, arguments)
VMMA_SCANNED(DEFINE_ALL)
