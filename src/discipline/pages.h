/* SPDX-License-Identifier: MIT */
/*
 * Segments made of whole pages of the system.
 *
 * A segment of n bytes holds the pages of `unit` bytes that [addr, addr + n) touches, with addr
 * at the start of one; all functions round the same way, so that no two segments share a page,
 * whatever their sizes are.  What is got reads as zeros; so does what is got again after shrinking.
 */
#ifndef VM_DISCIPLINE_PAGES_H
#define VM_DISCIPLINE_PAGES_H 1

#include "base.h"

/* A segment of ordinary pages, or NULL. */
void *vmdc_pages_get(size_t size, const char *name);

/* Make a segment larger in place.  -1: what lies behind it is taken. */
int vmdc_pages_grow(void *addr, size_t csize, size_t nsize, const char *name);

/* Make a segment smaller in place, or release it (nsize 0).  -1: refused, nothing changed. */
int vmdc_pages_shrink(void *addr, size_t csize, size_t nsize, size_t unit);

/* Give the pages inside back, keep the addresses: 1 all of it reads as zeros, 0 some of it does (a
 * page at the edge was left alone), -1 nothing was done. */
int vmdc_pages_purge(void *addr, size_t size, size_t unit);

#endif
