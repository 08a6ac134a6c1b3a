/* SPDX-License-Identifier: MIT */
/*
 * options_basic: the options that are about no method in particular.
 */
#include "debug.h"
#include "option.h"
#include "base.h"

#include <string.h>

static vmma_answer_t set_abort(vmma_word_t value)
{
    (void)value;
    vmma_options.noabort = 0;
    vmdg_options.abort = 1;
    return NULL;
}

static vmma_answer_t set_noabort(vmma_word_t value)
{
    (void)value;
    vmma_options.noabort = 1;
    vmdg_options.abort = 0;
    return NULL;
}

static vmma_answer_t set_keep(vmma_word_t value)
{
    (void)value;
    vmma_options.keep = 1;
    return NULL;
}

static vmma_answer_t set_break(vmma_word_t value)
{
    (void)value;
    vmma_options.brk = 1;
    return NULL;
}

static vmma_answer_t set_mmap(vmma_word_t value)
{
    (void)value;
    vmma_options.brk = 0;
    return NULL;
}

static vmma_answer_t set_verbose(vmma_word_t value)
{
    (void)value;
    vmma_options.verbose = 1;
    return NULL;
}

static vmma_answer_t set_usage(vmma_word_t value)
{
    (void)value;
    vmma_options.usage = 1;
    return NULL;
}

static vmma_answer_t absent(vmma_word_t value)
{
    (void)value;
    return vmma_notnow;
}

/* Blocks are always freed at once. */
static vmma_answer_t set_free(vmma_word_t value)
{
    (void)value;
    return NULL;
}

static vmma_answer_t set_segsize(vmma_word_t value)
{
    size_t n = vmma_word_number(value);
    if (n == 0 || n > SIZE_MAX / 4)
        return vmma_nosense;
    vmma_options.segsize = n;
    return NULL;
}

static vmma_answer_t set_warn(vmma_word_t value)
{
    int fd = value.n > 0 ? vmma_word_open(value) : -1;
    if (fd < 0)
        return vmma_nosense;
    vmma_options.warnfd = fd;
    return NULL;
}

/* The first method counts, as in the original. */
vmma_answer_t vmma_set_method(vmma_word_t value)
{
    vmma_word_t name = vmma_word_without_vm(value);
    Vmethod_t *m = vmma_word_is(name, "best") ? Vmbest : vmma_word_is(name, "last") ? Vmlast : NULL;
    if (m == NULL && vmma_word_is(name, "pool"))
        m = Vmpool;
    if (vmma_word_is(name, "debug")) {
        vmma_options.debug |= vmma_options.method == NULL;
        return NULL;
    }
    if (vmma_word_is(name, "profile"))
        return vmma_options.method == NULL ? vmma_set_profile((vmma_word_t){"", 0}) : NULL;
    if (m == NULL)
        return vmma_nosense;
    if (vmma_options.method == NULL)
        vmma_options.method = m;
    return NULL;
}

/* One source of the list; what names mappings of some kind is mappings. */
static vmma_answer_t set_source(vmma_word_t w)
{
    static const char *const mappings[] = {"anon", "mmap", "mm", "native", "safe", "zero"};
    int no = w.n > 2 && strncmp(w.s, "no", 2) == 0;
    if (no) {
        w.s += 2, w.n -= 2;
        if (w.s[0] == '-' && w.n > 1)
            w.s++, w.n--;
    }
    if (vmma_word_is(w, "break") || vmma_word_is(w, "sbrk")) {
        vmma_options.brk = !no;
        return NULL;
    }
    for (size_t i = 0; i < sizeof(mappings) / sizeof(*mappings); i++)
        if (vmma_word_is(w, mappings[i]))
            return NULL;
    return vmma_nosense;
}

static vmma_answer_t set_getmemory(vmma_word_t value)
{
    vmma_answer_t r = value.n > 0 ? NULL : vmma_nosense;
    vmma_options.brk = 0;
    while (value.n > 0) {
        const char *colon = memchr(value.s, ':', value.n);
        size_t n = colon != NULL ? (size_t)(colon - value.s) : value.n;
        if (set_source((vmma_word_t){value.s, n}) != NULL)
            r = vmma_nosense;
        n += colon != NULL;
        value.s += n;
        value.n -= n;
    }
    return r;
}

const vmma_option_t vmma_options_basic[] = {
    {"abort", 1, set_abort},         {"break", 1, set_break},     {"free", 1, set_free},
    {"getmemory", 1, set_getmemory}, {"keep", 1, set_keep},       {"method", 2, vmma_set_method},
    {"mmap", 2, set_mmap},           {"noabort", 3, set_noabort}, {"pagesize", 2, absent},
    {"segsize", 2, set_segsize}, {"test", 2, absent},
    {"usage", 1, set_usage},         {"verbose", 1, set_verbose}, {"warn", 3, set_warn},
    {NULL, 0, NULL},
};
