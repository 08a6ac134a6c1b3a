/* SPDX-License-Identifier: MIT */
/*
 * The standard methods, for the table of standard names (Vmbest, Vmlast, Vmpool).
 */
#ifndef VM_METHOD_TABLES_H
#define VM_METHOD_TABLES_H 1

#include <vmalloc.h>

#include "over.h"

/* The one block of a region of Vmlast that vmfree() frees, NULL: none. */
const void *vmmt_lastblock(Vmalloc_t *vm);

extern Vmethod_t vmmt_best;
extern Vmethod_t vmmt_last;
extern Vmethod_t vmmt_pool;
extern vmmt_over_t vmmt_debug;
extern vmmt_over_t vmmt_profile;

#endif
