/* SPDX-License-Identifier: MIT */
/* break: the discipline behind options break and getmemory=break. */
#ifndef VM_MALLOC_BREAK_H
#define VM_MALLOC_BREAK_H 1

#include <vmalloc/discipline.h>

extern Vmdiscmore_t vmma_break __attribute__((visibility("hidden")));

#endif
