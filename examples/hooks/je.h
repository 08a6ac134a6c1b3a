/* SPDX-License-Identifier: MIT */
/*
 * The names that a program built for jemalloc with the prefix je_ calls (Redis is one: USE_JEMALLOC),
 * on Vmheap: what such a program includes in place of <jemalloc/jemalloc.h>.  Compiled once with
 * je.c; the rest of the program does not change, and its malloc() stays the system's.
 *
 * Arenas and thread caches of jemalloc's flags are accepted and not followed: threads have their
 * caches here by themselves.  je_mallctl() knows the names that programs ask for to show statistics.
 */
#ifndef JE_H
#define JE_H 1

#include <stddef.h>

#define JEMALLOC_VERSION_MAJOR 5
#define JEMALLOC_VERSION_MINOR 3
#define MALLOCX_LG_ALIGN(la) ((int)(la))
#define MALLOCX_ZERO 0x40
#define MALLOCX_TCACHE_NONE 0x100
#define MALLOCX_ARENA(a) ((int)(((unsigned)(a) + 1) << 20))

void *je_malloc(size_t size);
void *je_calloc(size_t n, size_t size); /* NULL when n * size overflows */
void *je_realloc(void *block, size_t size);
void je_free(void *block);
size_t je_malloc_usable_size(void *block);
void *je_mallocx(size_t size, int flags);
void je_dallocx(void *block, int flags);
/* 0; ENOENT for a name not known: "epoch", "version", "stats.allocated", "stats.active",
 * "stats.resident", "stats.mapped", "thread.tcache.flush". */
int je_mallctl(const char *name, void *old, size_t *oldlen, void *to, size_t tolen);

#endif
