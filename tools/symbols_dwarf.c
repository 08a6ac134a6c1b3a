/* SPDX-License-Identifier: MIT */
/*
 * Symbols by elfutils: libdwfl finds the debug information of a file, also when it lies in a file
 * of its own under /usr/lib/debug; libdw tells functions and lines.
 *
 * All modules are in one session, each at an address of the session's choosing.  The first question
 * about a module costs milliseconds, those that follow microseconds.
 */
#include "symbols.h"
#include "symbols_table.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <elfutils/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEBUG_FOLDER "/usr/lib/debug"
#define STRING_OF_(x) #x
#define STRING_OF(x) STRING_OF_(x)

typedef struct module {
    struct module *next;
    char *path, *id;
    Dwfl_Module *dwfl; /* NULL: no file of that build-id */
    symbols_table_t *table; /* NULL: not needed so far */
} module_t;

static Dwfl *session;
static module_t *modules;

const char *symbols_version(void)
{
    return "elfutils 0." STRING_OF(_ELFUTILS_VERSION);
}

/* ---- files ---- */

static int begin(void)
{
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address,
    };
    if (!session)
        session = dwfl_begin(&callbacks);
    return session ? 0 : -1;
}

static int has_id(Dwfl_Module *m, const char *id)
{
    const unsigned char *bits;
    GElf_Addr where;
    int n = dwfl_module_build_id(m, &bits, &where);

    if (!*id)
        return 1;
    if (n <= 0 || strlen(id) != 2 * (size_t)n)
        return 0;
    for (int i = 0; i < n; i++) {
        char hex[3];
        snprintf(hex, sizeof(hex), "%02x", bits[i]);
        if (strncmp(hex, id + 2 * i, 2) != 0)
            return 0;
    }
    return 1;
}

/* The file as a module of the session, NULL when it cannot be read or is another build. */
static Dwfl_Module *report(const char *path, const char *id)
{
    Dwfl_Module *m;
    GElf_Addr bias;

    dwfl_report_begin_add(session);
    m = dwfl_report_offline(session, path, path, -1);
    dwfl_report_end(session, NULL, NULL);
    if (!m || !dwfl_module_getelf(m, &bias) || !has_id(m, id))
        return NULL;
    return m;
}

static Dwfl_Module *report_by_id(const char *id)
{
    char path[256];

    if (strlen(id) < 4 || strlen(id) > 128 || strspn(id, "0123456789abcdef") != strlen(id))
        return NULL;
    snprintf(path, sizeof(path), DEBUG_FOLDER "/.build-id/%.2s/%s.debug", id, id + 2);
    return report(path, id);
}

static module_t *find_module(const char *path, const char *id)
{
    module_t *m;

    for (m = modules; m; m = m->next)
        if (strcmp(m->path, path) == 0 && strcmp(m->id, id) == 0)
            return m;
    m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->path = strdup(path);
    m->id = strdup(id);
    if (!m->path || !m->id) {
        free(m->path);
        free(m->id);
        free(m);
        return NULL;
    }
    m->dwfl = report(path, id);
    if (!m->dwfl)
        m->dwfl = report_by_id(id);
    m->next = modules;
    modules = m;
    return m;
}

/* The linker's name for an address of the session. */
static const char *name_at(module_t *m, GElf_Addr addr)
{
    if (!m->table)
        m->table = symbols_table_make(m->dwfl);
    return m->table ? symbols_table_find(m->table, addr) : dwfl_module_addrname(m->dwfl, addr);
}

/* ---- functions and lines ---- */

typedef struct answer {
    void (*f)(const symbol_t *symbol, void *arg);
    void *arg;
    int n;
    char file[4096]; /* of the name that comes next */
    int line;
} answer_t;

static void tell(answer_t *a, const char *function, int inlined)
{
    symbol_t symbol = {function ? symbols_demangled(function) : "", a->file, a->line, inlined};

    a->f(&symbol, a->arg);
    a->n++;
}

static void set_file(answer_t *a, const char *folder, const char *file)
{
    if (!file)
        file = "";
    if (folder && *file && *file != '/')
        snprintf(a->file, sizeof(a->file), "%s/%s", folder, file);
    else
        snprintf(a->file, sizeof(a->file), "%s", file);
}

static void line_of(answer_t *a, Dwfl_Module *m, GElf_Addr addr)
{
    Dwfl_Line *line = dwfl_module_getsrc(m, addr);
    const char *file;

    a->file[0] = '\0';
    a->line = 0;
    if (!line)
        return;
    file = dwfl_lineinfo(line, NULL, &a->line, NULL, NULL, NULL);
    set_file(a, dwfl_line_comp_dir(line), file);
}

/* Where an inlined function was called: that is the place in the function around it. */
static void line_of_call(answer_t *a, Dwarf_Die *unit, Dwarf_Die *inlined)
{
    Dwarf_Attribute attribute;
    Dwarf_Word file = 0, line = 0;
    Dwarf_Files *files;
    size_t n;

    a->file[0] = '\0';
    a->line = 0;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &line) == 0)
        a->line = (int)line;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) == 0 &&
        dwarf_getsrcfiles(unit, &files, &n) == 0)
        set_file(a, dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute)),
                 dwarf_filesrc(files, file, NULL, NULL));
}

static const char *name_of(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute));

    if (!name)
        name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute));
    return name ? name : dwarf_diename(die);
}

/* From the innermost scope outwards, up to the function itself. */
static void tell_scopes(answer_t *a, Dwarf_Die *unit, Dwarf_Die *scopes, int n)
{
    for (int i = 0; i < n; i++) {
        int tag = dwarf_tag(&scopes[i]);
        if (tag == DW_TAG_subprogram || tag == DW_TAG_entry_point) {
            tell(a, name_of(&scopes[i]), 0);
            return;
        }
        if (tag == DW_TAG_inlined_subroutine) {
            tell(a, name_of(&scopes[i]), 1);
            line_of_call(a, unit, &scopes[i]);
        }
    }
}

static void tell_die(answer_t *a, Dwfl_Module *m, GElf_Addr addr)
{
    Dwarf_Addr bias;
    Dwarf_Die *unit = dwfl_module_addrdie(m, addr, &bias), *found = NULL, *chain = NULL;
    int n;

    if (!unit)
        return;
    n = dwarf_getscopes(unit, addr - bias, &found);
    if (n > 0)
        n = dwarf_getscopes_die(&found[0], &chain);
    if (n > 0)
        tell_scopes(a, unit, chain, n);
    free(chain);
    free(found);
}

int symbols_find(const char *path, const char *id, uint64_t offset,
                 void (*f)(const symbol_t *symbol, void *arg), void *arg)
{
    answer_t a = {.f = f, .arg = arg};
    module_t *m;
    GElf_Addr bias;
    const char *name;

    if (!id || strcmp(id, "-") == 0)
        id = "";
    if (begin() != 0)
        return 0;
    m = find_module(path, id);
    if (!m || !m->dwfl || !dwfl_module_getelf(m->dwfl, &bias))
        return 0;
    line_of(&a, m->dwfl, offset + bias);
    tell_die(&a, m->dwfl, offset + bias);
    if (a.n > 0)
        return a.n;
    name = name_at(m, offset + bias);
    if (name || a.line > 0)
        tell(&a, name, 0);
    return a.n;
}
