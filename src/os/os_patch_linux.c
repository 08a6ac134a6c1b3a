/* SPDX-License-Identifier: MIT */
/*
 * Calls between modules, as the dynamic linker of Linux lays them out: each module calls a function of
 * another one through a word of its own, which its relocation table names.
 *
 *   relocation | offset -> the word | symbol -> name | type JUMP_SLOT, GLOB_DAT |
 *
 * The word is changed if it holds the address of libc's function or that of the module's own code that
 * is to look it up at the first call.  Words that the linker made read-only are made so again.
 */
#define _GNU_SOURCE 1
#include "os_debug.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define ISCALL(t) ((t) == R_X86_64_JUMP_SLOT || (t) == R_X86_64_GLOB_DAT)
#elif defined(__aarch64__) && !defined(__ILP32__)
#define ISCALL(t) ((t) == R_AARCH64_JUMP_SLOT || (t) == R_AARCH64_GLOB_DAT)
#elif defined(__i386__)
#define ISCALL(t) ((t) == R_386_JMP_SLOT || (t) == R_386_GLOB_DAT)
#elif defined(__riscv) && __riscv_xlen == 64
#define ISCALL(t) ((t) == R_RISCV_JUMP_SLOT || (t) == R_RISCV_64)
#elif defined(__s390x__)
#define ISCALL(t) ((t) == R_390_JMP_SLOT || (t) == R_390_GLOB_DAT)
#else
#define ISCALL(t) 0
#endif

/* Entries of relocation tables: with an addend, or with the addend in the word. */
#if defined(__i386__)
typedef ElfW(Rel) relocation_t;
#define DT_OTHERS DT_REL
#define DT_OTHERSIZE DT_RELSZ
#define SYMBOLOF(info) ELF32_R_SYM(info)
#define TYPEOF(info) ELF32_R_TYPE(info)
#else
typedef ElfW(Rela) relocation_t;
#define DT_OTHERS DT_RELA
#define DT_OTHERSIZE DT_RELASZ
#define SYMBOLOF(info) ELF64_R_SYM(info)
#define TYPEOF(info) ELF64_R_TYPE(info)
#endif

#define NSEEN 1024

#if UINTPTR_MAX > 0xffffffffu || defined(__i386__)

typedef struct module {
    uintptr_t bias, low, high, relro, erelro;
    const ElfW(Sym) *symbols;
    const char *names;
    const relocation_t *calls, *others;
    size_t ncalls, nothers;
} module_t;

typedef struct job {
    const vmos_patch_t *table;
    size_t n;
} job_t;

static uintptr_t seen[NSEEN]; /* dynamic sections of the modules that are done */
static size_t nseen;

/* Addresses in the dynamic section are the loader's already, but those of the vdso. */
static const void *fix(const module_t *m, ElfW(Addr) a)
{
    return (const void *)(a < m->bias ? a + m->bias : a);
}

static void readdynamic(module_t *m, const ElfW(Dyn) *d)
{
    for (; d->d_tag != DT_NULL; d++) {
        switch (d->d_tag) {
        case DT_SYMTAB: m->symbols = fix(m, d->d_un.d_ptr); break;
        case DT_STRTAB: m->names = fix(m, d->d_un.d_ptr); break;
        case DT_JMPREL: m->calls = fix(m, d->d_un.d_ptr); break;
        case DT_PLTRELSZ: m->ncalls = d->d_un.d_val / sizeof(relocation_t); break;
        case DT_OTHERS: m->others = fix(m, d->d_un.d_ptr); break;
        case DT_OTHERSIZE: m->nothers = d->d_un.d_val / sizeof(relocation_t); break;
        default: break;
        }
    }
}

static const ElfW(Dyn) *describe(module_t *m, const struct dl_phdr_info *info)
{
    const ElfW(Dyn) *dynamic = NULL;
    memset(m, 0, sizeof *m);
    m->bias = info->dlpi_addr;
    m->low = UINTPTR_MAX;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t at = m->bias + p->p_vaddr, end = at + p->p_memsz;
        if (p->p_type == PT_LOAD) {
            m->low = at < m->low ? at : m->low;
            m->high = end > m->high ? end : m->high;
        } else if (p->p_type == PT_GNU_RELRO) {
            m->relro = at & ~(vmos_kernelpage() - 1); /* the loader's, whatever is simulated */
            m->erelro = end & ~(vmos_kernelpage() - 1);
        } else if (p->p_type == PT_DYNAMIC) {
            dynamic = (const void *)at;
        }
    }
    if (dynamic != NULL)
        readdynamic(m, dynamic);
    return dynamic;
}

static int within(const module_t *m, const void *addr)
{
    return (uintptr_t)addr >= m->low && (uintptr_t)addr < m->high;
}

static void change(const module_t *m, void **word, void *to)
{
    size_t page = vmos_kernelpage();
    void *at = (void *)((uintptr_t)word & ~(page - 1));
    int fixed = (uintptr_t)word >= m->relro && (uintptr_t)word < m->erelro;
    if (fixed && mprotect(at, page, PROT_READ | PROT_WRITE) != 0)
        return;
    __atomic_store_n(word, to, __ATOMIC_RELEASE);
    if (fixed)
        mprotect(at, page, PROT_READ);
}

static void patchone(const module_t *m, const job_t *job, const relocation_t *r)
{
    const ElfW(Sym) *symbol = &m->symbols[SYMBOLOF(r->r_info)];
    const char *name = m->names + symbol->st_name;
    void **word = (void **)(m->bias + r->r_offset), *now;
    if (!ISCALL(TYPEOF(r->r_info)) || !within(m, word))
        return;
    for (size_t i = 0; i < job->n; i++) {
        const vmos_patch_t *p = &job->table[i];
        if (p->name[0] != name[0] || strcmp(p->name, name) != 0)
            continue;
        now = __atomic_load_n(word, __ATOMIC_RELAXED);
        if (p->real != NULL && (now == p->real || within(m, now)) && symbol->st_shndx == SHN_UNDEF)
            change(m, word, p->to);
        return;
    }
}

/* A place in the loader, which is libc itself where it is not glibc's. */
static void *loader(void)
{
#ifdef __GLIBC__
    return (void *)_r_debug.r_brk;
#else
    return (void *)(uintptr_t)&dl_iterate_phdr;
#endif
}

/* Whether it is libc, the loader, or this library. */
static int isours(const module_t *m)
{
    return within(m, (void *)(uintptr_t)isours) || within(m, (void *)(uintptr_t)&memcpy) ||
           within(m, (void *)(uintptr_t)&dl_iterate_phdr) || within(m, loader());
}

static int isnew(uintptr_t dynamic)
{
    for (size_t i = 0; i < nseen; i++)
        if (seen[i] == dynamic)
            return 0;
    if (nseen < NSEEN)
        seen[nseen++] = dynamic;
    return 1;
}

static int patchmodule(struct dl_phdr_info *info, size_t size, void *arg)
{
    module_t m;
    const ElfW(Dyn) *dynamic = describe(&m, info);
    (void)size;
    if (dynamic == NULL || isours(&m) || m.symbols == NULL || m.names == NULL ||
        !isnew((uintptr_t)dynamic))
        return 0;
    for (size_t i = 0; i < m.ncalls; i++)
        patchone(&m, arg, &m.calls[i]);
    for (size_t i = 0; i < m.nothers; i++)
        patchone(&m, arg, &m.others[i]);
    return 0;
}

void vmos_patch(const vmos_patch_t *table, size_t n)
{
    job_t job = {table, n};
    int keep = errno;
    dl_iterate_phdr(patchmodule, &job);
    errno = keep;
}

#else

void vmos_patch(const vmos_patch_t *table, size_t n)
{
    (void)table, (void)n;
}

#endif
