/* SPDX-License-Identifier: MIT */
/*
 * Disciplines that functions make.
 *
 *   | Vmdiscmore_t          | seal | home | state of the one discipline ... |
 *   ^ what the user holds, and memoryf gets
 *
 * Invariant: seal is that of the address as long as the discipline stands, so that neither a copy
 * nor a structure of the user passes for one that was made here.
 */
#ifndef VM_DISCIPLINE_MADE_H
#define VM_DISCIPLINE_MADE_H 1

#include "region.h"

typedef struct vmdc_made {
    Vmdiscmore_t more; /* first */
    uintptr_t seal;
    Vmalloc_t *home; /* region that the structure is a block of; NULL: of none */
} vmdc_made_t;

/* Fill the common part of a structure of size bytes that lies in region home. */
void vmdc_seal(vmdc_made_t *made, Vmalloc_t *home, size_t size, Vmemory_f memoryf);

/* A cleared structure of size bytes in region home, sealed.  NULL with errno; home NULL: the
 * errno of the call that found no region. */
void *vmdc_make(Vmalloc_t *home, size_t size, Vmemory_f memoryf);

/* The structure behind disc if it was made here with this memoryf (NULL: any), else NULL and
 * EINVAL. */
void *vmdc_made(Vmdisc_t *disc, Vmemory_f memoryf);

#endif
