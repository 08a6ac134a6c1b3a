/* SPDX-License-Identifier: MIT */
/*
 * Printing into a buffer of the caller, for messages that must not allocate.
 *
 *   %[-0][width][.precision][l|ll|z]c    - left, 0 zeros in front, precision (or .*) for %s
 *   c:  d i  signed     u  unsigned     x  hexadecimal     p  pointer, 0x...
 *       s  string       c  character    %  itself
 *
 * What does not fit is left out; an unknown letter is printed as it stands.  Cost: the text.
 */
#include "base.h"

#include <string.h>

void vmb_out_init(vmb_out_t *o, char *buf, size_t size)
{
    o->buf = buf;
    o->size = size;
    o->len = 0;
    if (size > 0)
        buf[0] = '\0';
}

static void put(vmb_out_t *o, char c, size_t n)
{
    while (n-- > 0 && o->len + 1 < o->size)
        o->buf[o->len++] = c;
}

static void puttext(vmb_out_t *o, const char *s, size_t n)
{
    for (size_t i = 0; i < n && o->len + 1 < o->size; i++)
        o->buf[o->len++] = s[i];
}

/* One specification, taken apart. */
typedef struct spec {
    int left, zero, size; /* size: 0 int, 1 long, 2 long long, 3 size_t */
    size_t width, precision;
} spec_t;

static void pad(vmb_out_t *o, const spec_t *sp, const char *s, size_t n)
{
    size_t fill = sp->width > n ? sp->width - n : 0;
    if (!sp->left)
        put(o, ' ', fill);
    puttext(o, s, n);
    if (sp->left)
        put(o, ' ', fill);
}

/* sign: "", "-" or "0x". */
static void number(vmb_out_t *o, spec_t *sp, const char *sign, unsigned long long x, unsigned base)
{
    char text[24];
    size_t i = sizeof(text), n = strlen(sign);
    do
        text[--i] = "0123456789abcdef"[x % base];
    while ((x /= base) != 0);
    if (sp->zero && !sp->left) { /* the sign stands before the zeros */
        puttext(o, sign, n);
        for (sp->width -= VMB_MIN(sp->width, n); sp->width > sizeof(text) - i; sp->width--)
            put(o, '0', 1);
        n = 0;
    }
    while (n > 0)
        text[--i] = sign[--n];
    pad(o, sp, text + i, sizeof(text) - i);
}

static size_t digits(const char **f)
{
    size_t n = 0;
    for (; **f >= '0' && **f <= '9'; ++*f)
        n = n < 100000 ? n * 10 + (size_t)(**f - '0') : n;
    return n;
}

/* The conversions need the argument list itself, and a va_list that is a parameter has an odd
 * type: it travels in this. */
typedef struct args {
    va_list ap;
} args_t;

static const char *parse(const char *f, spec_t *sp, args_t *a)
{
    memset(sp, 0, sizeof(*sp));
    sp->precision = (size_t)-1;
    for (; *f == '-' || *f == '0'; f++)
        *(*f == '-' ? &sp->left : &sp->zero) = 1;
    sp->width = digits(&f);
    if (*f == '.' && f[1] == '*') {
        int n = va_arg(a->ap, int);
        sp->precision = n < 0 ? (size_t)-1 : (size_t)n;
        f += 2;
    } else if (*f == '.') {
        f++;
        sp->precision = digits(&f);
    }
    for (; *f == 'l' && sp->size < 2; f++)
        sp->size++;
    if (*f == 'z') {
        sp->size = 3;
        f++;
    }
    return f;
}

static unsigned long long getunsigned(const spec_t *sp, args_t *a)
{
    switch (sp->size) {
    case 0:
        return va_arg(a->ap, unsigned int);
    case 1:
        return va_arg(a->ap, unsigned long);
    case 2:
        return va_arg(a->ap, unsigned long long);
    default:
        return va_arg(a->ap, size_t);
    }
}

static long long getsigned(const spec_t *sp, args_t *a)
{
    switch (sp->size) {
    case 0:
        return va_arg(a->ap, int);
    case 1:
        return va_arg(a->ap, long);
    case 2:
        return va_arg(a->ap, long long);
    default:
        return (long long)(ptrdiff_t)va_arg(a->ap, size_t);
    }
}

static void string(vmb_out_t *o, const spec_t *sp, const char *s)
{
    size_t n = 0;
    if (s == NULL)
        s = "(null)";
    while (n < sp->precision && s[n] != '\0')
        n++;
    pad(o, sp, s, n);
}

static void convert(vmb_out_t *o, char letter, spec_t *sp, args_t *a)
{
    long long n;
    char c;
    switch (letter) {
    case 'd':
    case 'i':
        n = getsigned(sp, a);
        number(o, sp, n < 0 ? "-" : "",
               n < 0 ? 0 - (unsigned long long)n : (unsigned long long)n, 10);
        break;
    case 'u':
        number(o, sp, "", getunsigned(sp, a), 10);
        break;
    case 'x':
        number(o, sp, "", getunsigned(sp, a), 16);
        break;
    case 'p':
        number(o, sp, "0x", (uintptr_t)va_arg(a->ap, void *), 16);
        break;
    case 's':
        string(o, sp, va_arg(a->ap, const char *));
        break;
    case 'c':
        c = (char)va_arg(a->ap, int);
        pad(o, sp, &c, 1);
        break;
    default:
        puttext(o, "%", letter != '%');
        put(o, letter, letter != '\0');
    }
}

void vmb_vprintf(vmb_out_t *o, const char *format, va_list ap)
{
    args_t a;
    va_copy(a.ap, ap);
    while (*format != '\0') {
        spec_t sp;
        size_t n = strcspn(format, "%");
        puttext(o, format, n);
        format += n;
        if (*format == '\0')
            break;
        format = parse(format + 1, &sp, &a);
        convert(o, *format, &sp, &a);
        format += *format != '\0';
    }
    va_end(a.ap);
    if (o->size > 0)
        o->buf[o->len] = '\0';
}

void vmb_printf(vmb_out_t *o, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vmb_vprintf(o, format, ap);
    va_end(ap);
}
