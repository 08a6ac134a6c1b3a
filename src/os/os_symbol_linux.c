/* SPDX-License-Identifier: MIT */
/*
 * Exported functions, and a library's own name, from a module's tables in memory: what dladdr() finds,
 * without the loader's lock.  The table is not sorted by address, so all of it is read: 10 us for libc.
 */
#define _GNU_SOURCE 1
#include "os_stack.h"

#include <elf.h>
#include <link.h>

typedef struct tables {
    const ElfW(Sym) *symbols;
    const char *names;
    const uint32_t *hash, *gnu;
    size_t size;   /* of the names */
    size_t soname; /* where in them; 0: it has none */
} tables_t;

/* The loader has put addresses into the tables it uses, but not into those of the vdso. */
static const void *address(const vmos_module_t *m, uintptr_t value)
{
    return (const void *)(value >= m->low && value < m->high ? value : value + m->bias);
}

static int find(const vmos_module_t *m, tables_t *t)
{
    const ElfW(Dyn) *d = NULL;
    for (size_t i = 0; i < m->nphdr; i++) {
        const ElfW(Phdr) *p = (const ElfW(Phdr) *)m->phdr + i;
        if (p->p_type == PT_DYNAMIC)
            d = (const ElfW(Dyn) *)(m->bias + p->p_vaddr);
    }
    if ((uintptr_t)d < m->low || (uintptr_t)d >= m->high)
        return -1;
    for (; d->d_tag != DT_NULL; d++) {
        switch (d->d_tag) {
        case DT_SYMTAB: t->symbols = address(m, d->d_un.d_ptr); break;
        case DT_STRTAB: t->names = address(m, d->d_un.d_ptr); break;
        case DT_STRSZ: t->size = d->d_un.d_val; break;
        case DT_SONAME: t->soname = d->d_un.d_val; break;
        case DT_HASH: t->hash = address(m, d->d_un.d_ptr); break;
        case DT_GNU_HASH: t->gnu = address(m, d->d_un.d_ptr); break;
        default: break;
        }
    }
    return t->symbols != NULL && t->names != NULL ? 0 : -1;
}

/* How many symbols there are, which only the hash tables tell:
 * | nbuckets | first | nbloom | shift | bloom | buckets | chains, the last of each with bit 0 set */
static size_t counted(const tables_t *t)
{
    const uint32_t *buckets, *chains;
    uint32_t last = 0;
    if (t->hash != NULL)
        return t->hash[1];
    if (t->gnu == NULL)
        return 0;
    buckets = t->gnu + 4 + t->gnu[2] * (sizeof(ElfW(Addr)) / 4);
    chains = buckets + t->gnu[0];
    for (uint32_t i = 0; i < t->gnu[0]; i++)
        last = buckets[i] > last ? buckets[i] : last;
    if (last < t->gnu[1])
        return 0;
    while (!(chains[last - t->gnu[1]] & 1))
        last++;
    return (size_t)last + 1;
}

const char *vmos_symbol_at(const vmos_module_t *m, uintptr_t addr, uintptr_t *start)
{
    tables_t t = {NULL, NULL, NULL, NULL, 0, 0};
    const ElfW(Sym) *best = NULL;
    size_t n;
    if (m->phdr == NULL || find(m, &t) != 0)
        return NULL;
    n = counted(&t);
    for (size_t i = 0; i < n; i++) {
        const ElfW(Sym) *s = &t.symbols[i];
        unsigned type = s->st_info & 15;
        if ((type == STT_FUNC || type == STT_GNU_IFUNC) && s->st_shndx != SHN_UNDEF &&
            addr - (m->bias + s->st_value) < (s->st_size != 0 ? s->st_size : 1) &&
            s->st_name < t.size && (best == NULL || s->st_value > best->st_value))
            best = s;
    }
    if (best == NULL)
        return NULL;
    *start = m->bias + best->st_value;
    return t.names + best->st_name;
}

const char *vmos_module_soname(const vmos_module_t *m)
{
    tables_t t = {NULL, NULL, NULL, NULL, 0, 0};
    if (m->phdr == NULL || find(m, &t) != 0 || t.soname == 0 || t.soname >= t.size)
        return NULL;
    return t.names + t.soname;
}
