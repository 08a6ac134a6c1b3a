/* SPDX-License-Identifier: MIT */
/*
 * From a place in a program or library to functions and source lines.  Made of elfutils where the
 * build found it (symbols_dwarf.c), else nothing is known (symbols_none.c).
 */
#ifndef VMALLOC_SYMBOLS_H
#define VMALLOC_SYMBOLS_H 1

#include <stdint.h>

typedef struct symbol {
    const char *function; /* demangled where that can be; "" unknown */
    const char *file;     /* with its folder; "" unknown */
    int line;             /* 0 unknown */
    int inlined;          /* the function that it was inlined into follows */
} symbol_t;

/* "elfutils VERSION", or that symbols are not read. */
const char *symbols_version(void);

/* f(symbol, arg) for the function that the offset lies in: inlined ones first, the one that
 * contains them last.  path: the module's file; id: its build-id in hex, NULL or "" or "-" when it
 * has none; a file with another build-id is passed by, and /usr/lib/debug is looked through for
 * the right one.  offset: as vmsk_place() gives it, an address of the file.  Returns how often f
 * was called: 0 when nothing is known. */
int symbols_find(const char *path, const char *id, uint64_t offset,
                 void (*f)(const symbol_t *symbol, void *arg), void *arg);

/* A name of the linker as C++ would have it; name itself when it is none or there is no C++
 * library.  Valid until the next call. */
const char *symbols_demangled(const char *name);

#endif
