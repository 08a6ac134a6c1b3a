/* SPDX-License-Identifier: MIT */
/*
 * symbols_table: sorted by address, searched by halving.
 *
 *   entry   | from | to | name |      to == from: the size is not told, as in assembly
 *
 * Of several symbols at an address the largest comes first, and of the same size the global one.  A
 * symbol without a size reaches to the next one, but only where nothing with a size has it.
 * Cost: n log n in the symbols once, then log n for an address.
 */
#include "symbols_table.h"

#include <stdlib.h>

#define BACK 32 /* entries that are looked at: functions inside others, cold parts, aliases */

typedef struct entry {
    GElf_Addr from, to;
    const char *name;
    int global;
} entry_t;

struct symbols_table {
    entry_t *entries;
    size_t n;
};

static int by_address(const void *a, const void *b)
{
    const entry_t *x = a, *y = b;

    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->to != y->to)
        return x->to > y->to ? -1 : 1;
    return y->global - x->global;
}

static int is_function(const GElf_Sym *s, const char *name)
{
    int type = GELF_ST_TYPE(s->st_info);

    return name && *name && s->st_shndx != SHN_UNDEF &&
           (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

symbols_table_t *symbols_table_make(Dwfl_Module *m)
{
    int n = dwfl_module_getsymtab(m), i;
    symbols_table_t *t = calloc(1, sizeof(*t));

    if (t)
        t->entries = calloc(n > 0 ? (size_t)n : 1, sizeof(*t->entries));
    if (!t || !t->entries) {
        free(t);
        return NULL;
    }
    for (i = 1; i < n; i++) {
        GElf_Sym s;
        GElf_Addr from;
        const char *name = dwfl_module_getsym_info(m, i, &s, &from, NULL, NULL, NULL);

        if (is_function(&s, name))
            t->entries[t->n++] = (entry_t){from, from + s.st_size, name,
                                           GELF_ST_BIND(s.st_info) == STB_GLOBAL};
    }
    qsort(t->entries, t->n, sizeof(*t->entries), by_address);
    return t;
}

/* How many entries begin at the address or before it. */
static size_t count_before(const symbols_table_t *t, GElf_Addr addr)
{
    size_t low = 0, high = t->n, middle;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (t->entries[middle].from <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *symbols_table_find(const symbols_table_t *t, GElf_Addr addr)
{
    size_t end = count_before(t, addr), i;
    const entry_t *best = NULL;

    for (i = end; i > 0 && end - i < BACK; i--) {
        const entry_t *e = &t->entries[i - 1];

        if (addr < e->to && (!best || e->from == best->from))
            best = e; /* the nearest, and of those at its address the first */
    }
    if (!best && end > 0 && t->entries[end - 1].to == t->entries[end - 1].from)
        best = &t->entries[end - 1];
    return best ? best->name : NULL;
}
