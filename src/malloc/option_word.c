/* SPDX-License-Identifier: MIT */
/*
 * option_word: what the words of options mean: numbers with units, files, names in letters of any
 * case.
 * Needs no memory.
 */
#include "option.h"
#include "base.h"

#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* s: in small letters. */
int vmma_word_is(vmma_word_t w, const char *s)
{
    size_t i = 0;
    while (i < w.n && s[i] != '\0' && lower(w.s[i]) == s[i])
        i++;
    return i == w.n && s[i] == '\0';
}

static int isdigit10(char c)
{
    return c >= '0' && c <= '9';
}

/* Power of 1000, or with an i of 1024, that a suffix stands for: "k", "Ki", "kib".  0: none. */
static size_t unit(vmma_word_t suffix)
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
size_t vmma_word_number(vmma_word_t w)
{
    size_t x = 0;
    for (; w.n > 0 && isdigit10(*w.s); w.s++, w.n--)
        if (vmb_mulover(x, 10, &x) || vmb_addover(x, (size_t)(*w.s - '0'), &x))
            return 0;
    return vmb_mulover(x, unit(w), &x) ? 0 : x;
}

/* The number in "&n" or "/dev/fd/n".  -1: is none. */
int vmma_word_fd(vmma_word_t w)
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
int vmma_word_open(vmma_word_t w)
{
    char path[1024];
    vmb_out_t o;
    int fd = vmma_word_fd(w);
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
vmma_word_t vmma_word_without_vm(vmma_word_t w)
{
    if (w.n > 2 && lower(w.s[0]) == 'v' && lower(w.s[1]) == 'm')
        return (vmma_word_t){w.s + 2, w.n - 2};
    return w;
}
