/* SPDX-License-Identifier: MIT */
/*
 * options_debug: the options of Vmdebug, in VMALLOC_OPTIONS, and in VMDEBUG with the original's
 * grammar beside:
 *
 *   VMDEBUG   word { separator word }
 *   word      an option of the tables | letters, digits and addresses in the original's way
 *             1, or anything else without meaning: Vmdebug as it is
 *             a          abort             n  period, a second number: start
 *             w<n>       messages to descriptor n
 *             0x...      watch the address
 */
#include "books.h"
#include "option.h"

#include <string.h>

#define PARTS 1000000u /* what a probability is counted in */

static vmma_answer_t on(void)
{
    vmma_options.debug = 1;
    return NULL;
}

/* A number, which may be 0.  -1: is none. */
static int number(vmma_word_t w, size_t *x)
{
    *x = vmma_word_number(w);
    return *x != 0 || (w.n > 0 && strspn(w.s, "0") >= w.n) ? 0 : -1;
}

/* ---- levels ---- */

static vmma_answer_t set_debug(vmma_word_t value)
{
    (void)value;
    return on();
}

static vmma_answer_t set_fence(vmma_word_t value)
{
    (void)value;
    vmdg_options.level = VMDG_FENCE;
    return on();
}

/* Where the inaccessible page is. */
static vmma_answer_t set_guard(vmma_word_t value)
{
    static const char *const sides[] = {"above", "below", "alternate"};
    int i = 0;
    while (value.n > 0 && i < 3 && !vmma_word_is(value, sides[i]))
        i++;
    if (i == 3)
        return vmma_nosense;
    vmdg_options.level = VMDG_GUARD;
    vmdg_options.below = i;
    return on();
}

static vmma_answer_t set_sample(vmma_word_t value)
{
    size_t n = value.n > 0 ? vmma_word_number(value) : 5000;
    if (n == 0)
        return vmma_nosense;
    vmdg_options.level = VMDG_SAMPLE;
    vmdg_options.sample = n;
    return on();
}

static vmma_answer_t set_level(vmma_word_t value)
{
    const vmma_word_t none = {"", 0};
    if (vmma_word_is(value, "fence"))
        return set_fence(none);
    if (vmma_word_is(value, "guard"))
        return set_guard(none);
    return vmma_word_is(value, "sample") ? set_sample(none) : vmma_nosense;
}

/* ---- numbers ---- */

#define NUMBER(name, type)                                                                         \
    static vmma_answer_t set_##name(vmma_word_t value)                                             \
    {                                                                                              \
        size_t n;                                                                                  \
        if (number(value, &n) != 0)                                                                \
            return vmma_nosense;                                                                   \
        vmdg_options.name = (type)n;                                                               \
        return on();                                                                               \
    }

NUMBER(quarantine, size_t)
NUMBER(age, size_t)
NUMBER(period, size_t)
NUMBER(start, uint64_t)
NUMBER(limit, unsigned)
NUMBER(depth, unsigned)
NUMBER(failseed, uint64_t)

static vmma_answer_t set_exitcode(vmma_word_t value)
{
    size_t n;
    if (number(value, &n) != 0 || n > 255)
        return vmma_nosense;
    vmdg_options.exitcode = (int)n;
    return on();
}

/* ---- words ---- */

static vmma_answer_t set_force(vmma_word_t value)
{
    (void)value;
    vmdg_options.force = 1;
    return on();
}

static vmma_answer_t set_leaks(vmma_word_t value)
{
    int all = vmma_word_is(value, "all"), perhaps = vmma_word_is(value, "perhaps");
    if (value.n > 0 && !all && !perhaps && !vmma_word_is(value, "lost"))
        return vmma_nosense;
    vmdg_options.leaks = all ? VMDG_LEAKSALL : perhaps ? VMDG_LEAKSPERHAPS : 1;
    return on();
}

static vmma_answer_t set_noleaks(vmma_word_t value)
{
    (void)value;
    vmdg_options.leaks = 0;
    return on();
}

static vmma_answer_t set_check(vmma_word_t value)
{
    (void)value;
    vmdg_options.structure = 1;
    return on();
}

static vmma_answer_t set_json(vmma_word_t value)
{
    (void)value;
    vmdg_options.format = VMDG_JSON;
    return on();
}

static vmma_answer_t set_original(vmma_word_t value)
{
    (void)value;
    vmdg_options.format = VMDG_ORIGINAL;
    return on();
}

vmma_answer_t vmma_set_reportform(vmma_word_t value)
{
    static const char *const formats[] = {"readable", "json", "original"};
    for (int i = 0; i < 3; i++)
        if (vmma_word_is(value, formats[i])) {
            vmdg_options.format = i;
            return on();
        }
    return vmma_nosense;
}

static vmma_answer_t set_suppress(vmma_word_t value)
{
    if (value.n == 0 || value.n >= sizeof vmdg_options.suppress)
        return vmma_nosense;
    memcpy(vmdg_options.suppress, value.s, value.n);
    vmdg_options.suppress[value.n] = '\0';
    return on();
}

/* ---- addresses ---- */

/* Digits, or hexadecimal ones behind 0x; 0: none.  *used gets how many characters. */
static uintptr_t address(vmma_word_t w, size_t *used)
{
    static const char digits[] = "0123456789abcdef";
    unsigned base = w.n > 2 && w.s[0] == '0' && (w.s[1] == 'x' || w.s[1] == 'X') ? 16 : 10;
    uintptr_t x = 0;
    size_t i = base == 16 ? 2 : 0;
    for (; i < w.n; i++) {
        char c = w.s[i] >= 'A' && w.s[i] <= 'F' ? (char)(w.s[i] - 'A' + 'a') : w.s[i];
        const char *at = c != '\0' ? memchr(digits, c, base) : NULL;
        if (at == NULL)
            break;
        x = x * base + (uintptr_t)(at - digits);
    }
    *used = i;
    return x;
}

/* An address, or alloc:n for what operation n allocates. */
static vmma_answer_t set_watch(vmma_word_t value)
{
    static const char alloc[] = "alloc:";
    size_t skip = sizeof alloc - 1, used, i = 0;
    uintptr_t a;
    if (value.n > skip && strncmp(value.s, alloc, skip) == 0) {
        vmdg_options.watchalloc = vmma_word_number((vmma_word_t){value.s + skip, value.n - skip});
        return vmdg_options.watchalloc != 0 ? on() : vmma_nosense;
    }
    if (vmma_word_is(value, "front")) {
        vmdg_options.watchfront = 1;
        return on();
    }
    a = address(value, &used);
    while (i < 3 && vmdg_options.watch[i] != NULL)
        i++;
    if (a == 0 || used != value.n)
        return vmma_nosense;
    vmdg_options.watch[i] = (const void *)a;
    return on();
}

/* ---- failures ---- */

/* "0.25", in parts of a million; 0: is none. */
static unsigned probability(vmma_word_t w)
{
    unsigned x = 0, scale = PARTS, fraction = 0;
    for (size_t i = 0; i < w.n; i++) {
        if (w.s[i] == '.' && !fraction) {
            fraction = 1;
        } else if (w.s[i] >= '0' && w.s[i] <= '9' && scale > 0) {
            scale = fraction ? scale / 10 : scale;
            x = fraction ? x + scale * (unsigned)(w.s[i] - '0') : x * 10 + (unsigned)(w.s[i] - '0') * PARTS;
        } else {
            return 0;
        }
    }
    return x <= PARTS ? x : 0;
}

/* What follows a word and = or :, NULL when w begins otherwise. */
static int begins(vmma_word_t *w, const char *name)
{
    size_t n = strlen(name);
    if (w->n <= n + 1 || strncmp(w->s, name, n) != 0 || (w->s[n] != '=' && w->s[n] != ':'))
        return 0;
    w->s += n + 1;
    w->n -= n + 1;
    return 1;
}

/* n | every=k | p=0.x | site=0x... */
static vmma_answer_t set_fail(vmma_word_t value)
{
    size_t n, used;
    if (begins(&value, "p")) {
        vmdg_options.failpart = probability(value);
        return vmdg_options.failpart != 0 ? on() : vmma_nosense;
    }
    if (begins(&value, "site")) {
        vmdg_options.failsite = address(value, &used);
        return vmdg_options.failsite != 0 && used == value.n ? on() : vmma_nosense;
    }
    if (begins(&value, "every")) {
        vmdg_options.failevery = n = vmma_word_number(value);
        return n != 0 ? on() : vmma_nosense;
    }
    vmdg_options.failnth = n = vmma_word_number(value);
    return n != 0 ? on() : vmma_nosense;
}

const vmma_option_t vmma_options_debug[] = {
    {"age", 2, set_age},
    {"check", 1, set_check},
    {"debug", 1, set_debug},
    {"depth", 3, set_depth},
    {"exitcode", 2, set_exitcode},
    {"fail", 4, set_fail},
    {"fence", 3, set_fence},
    {"force", 3, set_force},
    {"guard", 2, set_guard},
    {"json", 4, set_json},
    {"leaks", 4, set_leaks},
    {"level", 3, set_level},
    {"limit", 3, set_limit},
    {"noleaks", 3, set_noleaks},
    {"original", 2, set_original},
    {"period", 2, set_period},
    {"quarantine", 2, set_quarantine},
    {"report", 2, vmma_set_reportform},
    {"sample", 2, set_sample},
    {"seed", 4, set_failseed},
    {"start", 1, set_start},
    {"suppress", 3, set_suppress},
    {"watch", 3, set_watch},
    {NULL, 0, NULL},
};

/* ---- VMDEBUG ---- */

/* In the original's way, character by character; numbers counts those that were seen. */
static void older(vmma_word_t w, int *numbers)
{
    while (w.n > 0) {
        size_t used = 1;
        int fd;
        if (*w.s == 'a') {
            vmdg_options.abort = 1;
        } else if (*w.s == 'w' && w.n > 1 && w.s[1] >= '0' && w.s[1] <= '9') {
            fd = (int)address((vmma_word_t){w.s + 1, w.n - 1}, &used);
            vmma_options.warnfd = vmos_copyfd(fd);
            used++;
        } else if (*w.s == '0' && w.n > 2 && w.s[1] == 'x') {
            vmdbwatch((void *)address(w, &used));
        } else if (*w.s >= '0' && *w.s <= '9') {
            size_t n = (size_t)address(w, &used);
            if (*numbers == 1)
                vmdg_options.start = n;
            else if (n > 1)
                vmdg_options.period = n;
            ++*numbers;
        }
        w.s += used;
        w.n -= used;
    }
}

/* Letters that make no word of the original's: "a" and "w" are its own. */
static int isword(vmma_word_t w)
{
    size_t letters = 0;
    for (size_t i = 0; i < w.n; i++)
        letters += w.s[i] >= 'a' && w.s[i] <= 'z';
    return letters > 1 && !(w.n > 2 && w.s[0] == '0' && w.s[1] == 'x');
}

vmma_answer_t vmma_set_vmdebug(vmma_word_t value)
{
    static const char separators[] = ", \t\r\n";
    const char *s = value.s;
    int numbers = 0;
    for (;;) {
        vmma_word_t w;
        s += strspn(s, separators);
        w = (vmma_word_t){s, strcspn(s, separators)};
        if (w.n == 0)
            return on();
        if (w.n > 7 && strncmp(w.s, "format=", 7) == 0) /* which elsewhere is that of traces */
            vmma_set_reportform((vmma_word_t){w.s + 7, w.n - 7});
        else if (isword(w))
            vmma_option_set("VMDEBUG", w);
        else
            older(w, &numbers);
        s += w.n;
    }
}
