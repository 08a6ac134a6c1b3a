/* SPDX-License-Identifier: MIT */
/*
 * options: VMALLOC_OPTIONS, then the older variables, which are short forms: VMETHOD and the rest
 * count after it, and the first method that was named is the one.
 *
 *   options   option { separator option }      separator: comma, space, tab, CR, LF
 *   option    name | name=value                value: up to the next separator
 *
 * The tables, one for each topic, are the list of what exists.  A name is known when it is the
 * beginning of a word of a table and has the letters by which the original knew it.  What is not
 * known, or not part of this version, is told in one line each.  The variables are not read in
 * set-user-ID programs.
 */
#include "options.h"
#include "base.h"
#include "option.h"

#include <string.h>

vmma_options_t vmma_options = {.warnfd = -1, .tracefd = -1, .profilefd = -1};

const char vmma_nosuch[] = "no such option";
const char vmma_nosense[] = "the value makes no sense";
const char vmma_notnow[] = "not in this version";

static const vmma_option_t *const tables[] = {vmma_options_basic, vmma_options_debug, vmma_options_trace, vmma_options_profile};

static void tell(const char *what, vmma_word_t w, vmma_answer_t why)
{
    if (why != NULL)
        vmb_fault("%s \"%.*s\": %s", what, (int)VMB_MIN(w.n, 64), w.s, why);
}

/* ---- reading ---- */

static const vmma_option_t *findin(const vmma_option_t *table, vmma_word_t name)
{
    for (; table->name != NULL; table++)
        if (name.n >= table->least && name.n <= strlen(table->name) &&
            strncmp(table->name, name.s, name.n) == 0)
            return table;
    return NULL;
}

static const vmma_option_t *find(vmma_word_t name)
{
    const vmma_option_t *o = NULL;
    for (size_t i = 0; o == NULL && i < sizeof(tables) / sizeof(*tables); i++)
        o = findin(tables[i], name);
    return o;
}

void vmma_option_set(const char *variable, vmma_word_t w)
{
    const char *equal = memchr(w.s, '=', w.n);
    vmma_word_t name = {w.s, equal != NULL ? (size_t)(equal - w.s) : w.n};
    vmma_word_t value = {w.s + name.n + (equal != NULL), w.n - name.n - (equal != NULL)};
    const vmma_option_t *o = find(name);
    tell(variable, w, o != NULL ? o->set(value) : vmma_nosuch);
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
        vmma_option_set("VMALLOC_OPTIONS", (vmma_word_t){text, n});
        text += n;
    }
}

/* As in the original, VMETHOD without Vm is passed over; here that is told. */
static vmma_answer_t older_method(vmma_word_t value)
{
    int named = value.n > 2 && (value.s[0] == 'V' || value.s[0] == 'v') && value.s[1] == 'm';
    return named ? vmma_set_method(value) : vmma_nosense;
}

static vmma_answer_t absent(vmma_word_t value)
{
    (void)value;
    return vmma_notnow;
}

/* The variables of old, in the order in which they count. */
static void readolder(void)
{
    static const vmma_option_t older[] = {
        {"VMETHOD", 0, older_method}, {"VMDEBUG", 0, vmma_set_vmdebug}, {"VMPROFILE", 0, vmma_set_profile},
        {"VMTRACE", 0, vmma_set_trace},       {"VMCHECK", 0, absent},
    };
    for (size_t i = 0; i < sizeof(older) / sizeof(*older); i++) {
        const char *s = vmos_getenv(older[i].name);
        vmma_word_t w = {s, s != NULL ? strlen(s) : 0};
        if (w.n > 0)
            tell(older[i].name, w, older[i].set(w));
    }
}

void vmma_options_read(void)
{
    const char *s = vmos_getenv("VMALLOC_OPTIONS");
    if (s != NULL)
        vmma_options_parse(s);
    readolder();
}
