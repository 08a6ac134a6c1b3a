/* SPDX-License-Identifier: MIT */
/*
 * options_profile: the option profile, and VMPROFILE, which has the same form:
 *
 *   profile=FILE{:word}      VMPROFILE=FILE{,word}        either separator serves in both
 *   word                     name or name=value, of the table below
 *
 * &n or /dev/fd/n for FILE, and the word original, ask for the original's report at the end.
 */
#include "option.h"
#include "profile.h"

#include <signal.h>
#include <string.h>

static int chosen;  /* whether words said which blocks are recorded */
static int samples; /* and that it is not all of them */
static const char unsampled[] = "unused looks at every block, and does not go with sample or exact";

static vmma_answer_t set(int what, size_t value)
{
    return vmprofileset(what, value) == 0 ? NULL : vmma_nosense;
}

/* A number, which may be 0.  -1: is none. */
static int number(vmma_word_t w, size_t *x)
{
    *x = vmma_word_number(w);
    return *x != 0 || (w.n > 0 && strspn(w.s, "0") >= w.n) ? 0 : -1;
}

static vmma_answer_t set_number(int what, vmma_word_t value)
{
    size_t x;
    return number(value, &x) == 0 ? set(what, x) : vmma_nosense;
}

/* Samples tell nothing of what unused wants to know: it goes first, whatever the order of the words. */
static int sampled(void)
{
    chosen = samples = 1;
    return !vmpf_settings.unused;
}

static vmma_answer_t set_sample(vmma_word_t value)
{
    if (!sampled())
        return unsampled;
    return value.n == 0 ? set(VM_PFPERIOD, VMPF_PERIOD) : set_number(VM_PFPERIOD, value);
}

static vmma_answer_t set_full(vmma_word_t value)
{
    (void)value;
    chosen = 1;
    set(VM_PFEXACT, 0);
    return set(VM_PFPERIOD, 0);
}

static vmma_answer_t set_exact(vmma_word_t value)
{
    return sampled() ? set_number(VM_PFEXACT, value) : unsampled;
}

static vmma_answer_t set_depth(vmma_word_t value)
{
    return set_number(VM_PFDEPTH, value);
}

static vmma_answer_t set_near(vmma_word_t value)
{
    return set_number(VM_PFNEAR, value);
}

static vmma_answer_t set_seed(vmma_word_t value)
{
    return set_number(VM_PFSEED, value);
}

static vmma_answer_t set_memory(vmma_word_t value)
{
    return set_number(VM_PFMEMORY, value);
}

static vmma_answer_t set_interval(vmma_word_t value)
{
    return set_number(VM_PFINTERVAL, value);
}

/* It takes a look at each block. */
static vmma_answer_t set_unused(vmma_word_t value)
{
    vmma_answer_t wrong;
    if (value.n > 0 && !vmma_word_is(value, "1"))
        return vmma_nosense;
    set_full(value);
    wrong = set(VM_PFUNUSED, 1);
    return wrong == NULL && samples ? unsampled : wrong;
}

static vmma_answer_t set_inherit(vmma_word_t value)
{
    (void)value;
    return set(VM_PFINHERIT, 1);
}

/* By number, or by the name of one that programs leave to such things. */
static vmma_answer_t set_signal(vmma_word_t value)
{
    size_t n;
    if (vmma_word_is(value, "usr1"))
        vmma_options.profilesignal = SIGUSR1;
    else if (vmma_word_is(value, "usr2"))
        vmma_options.profilesignal = SIGUSR2;
    else if (number(value, &n) == 0 && n > 0 && n < 65)
        vmma_options.profilesignal = (int)n;
    else
        return vmma_nosense;
    return NULL;
}

static vmma_answer_t set_original(vmma_word_t value)
{
    (void)value;
    vmma_options.profileoriginal = 1;
    return NULL;
}

static const vmma_option_t words[] = {
    {"depth", 1, set_depth},     {"exact", 1, set_exact},       {"full", 1, set_full},
    {"inherit", 3, set_inherit}, {"interval", 3, set_interval}, {"memory", 1, set_memory},
    {"near", 1, set_near},       {"original", 1, set_original}, {"sample", 2, set_sample},
    {"seed", 2, set_seed},       {"signal", 2, set_signal},     {"unused", 1, set_unused},
    {NULL, 0, NULL},
};

static vmma_answer_t set_word(vmma_word_t w)
{
    const char *equal = memchr(w.s, '=', w.n);
    vmma_word_t name = {w.s, equal != NULL ? (size_t)(equal - w.s) : w.n};
    vmma_word_t value = {w.s + name.n + (equal != NULL), w.n - name.n - (equal != NULL)};
    for (const vmma_option_t *o = words; o->name != NULL; o++)
        if (name.n >= o->least && name.n <= strlen(o->name) &&
            strncmp(o->name, name.s, name.n) == 0)
            return o->set(value);
    return vmma_nosuch;
}

/* The next piece of *w up to a separator, which is passed over. */
static vmma_word_t piece(vmma_word_t *w)
{
    vmma_word_t p = {w->s, 0};
    while (p.n < w->n && w->s[p.n] != ',' && w->s[p.n] != ':')
        p.n++;
    w->s += p.n + (p.n < w->n);
    w->n -= p.n + (p.n < w->n);
    return p;
}

static vmma_answer_t set_file(vmma_word_t file)
{
    int fd = file.n > 0 ? vmma_word_fd(file) : -1;
    if (fd >= 0 || vmma_options.profileoriginal) {
        vmma_options.profilefd = file.n > 0 ? vmma_word_open(file) : vmos_copyfd(2);
        return vmma_options.profilefd >= 0 ? NULL : vmma_nosense;
    }
    vmma_options.profilefile = file.s;
    vmma_options.profilelen = file.n;
    return NULL;
}

/* Without a file, as method=profile: the original's report on standard error. */
vmma_answer_t vmma_set_profile(vmma_word_t value)
{
    vmma_word_t file = piece(&value);
    vmma_answer_t wrong = NULL, r;
    if (vmma_options.debug)
        return "a debug region was asked for already";
    vmma_options.profile = 1;
    while (value.n > 0) {
        vmma_word_t w = piece(&value);
        if (w.n > 0 && (r = set_word(w)) != NULL)
            wrong = r;
    }
    if (file.n == 0)
        vmma_options.profileoriginal = 1;
    if (!chosen && !vmma_options.profileoriginal && vmma_word_fd(file) < 0)
        set(VM_PFEXACT, VMPF_EXACT);
    r = set_file(file);
    return wrong != NULL ? wrong : r;
}

const vmma_option_t vmma_options_profile[] = {
    {"profile", 2, vmma_set_profile},
    {NULL, 0, NULL},
};
