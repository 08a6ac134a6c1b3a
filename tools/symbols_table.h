/* SPDX-License-Identifier: MIT */
/*
 * The symbols of one file by address: for files without debug information, which elfutils looks
 * through from end to end for each address.
 */
#ifndef VMALLOC_SYMBOLS_TABLE_H
#define VMALLOC_SYMBOLS_TABLE_H 1

#include <elfutils/libdwfl.h>

typedef struct symbols_table symbols_table_t;

/* NULL: no memory.  Lives as long as the process. */
symbols_table_t *symbols_table_make(Dwfl_Module *m);
/* The linker's name of the function at an address of the session, NULL: unknown. */
const char *symbols_table_find(const symbols_table_t *t, GElf_Addr addr);

#endif
