/* SPDX-License-Identifier: MIT */
/*
 * checker: what Valgrind's Memcheck and AddressSanitizer are told of regions.
 *
 * When a region opens and a checker is there, the handle gets this room's functions in place of the
 * method's, which they call.  So a region in a program without a checker has nothing of it.
 *
 *   handle.meth   allocf  -> ours -> region->plain.allocf(size + VMOS_FENCE)
 *                 meth    |= VMR_TOLD
 *
 *   what the method gave   | block: size bytes | not to be touched: VMOS_FENCE or more |
 *
 * The sizes that were asked for are in the book, outside of the region, so that what a program writes
 * where it should not changes nothing of it.  What the library allocates for itself is in no book
 * and never reported; so is a block that becomes a segment of another region.
 *
 * Regions that outlive the process, or are that of several, and those of Vmdebug and Vmprofile, are not told of.
 *
 * Invariants
 *   1. A block is in the book from the moment that it is announced until it is taken back, once.
 *   2. Each block of a told region has VMOS_FENCE bytes more than it was asked for, in the book or not.
 *   3. vmr_toldlock guards the book; nothing is called under it but vmos_map().
 *
 * Cost: with a checker, a look-up and a few requests for each call; without, one test where a region is opened.
 */
#ifndef VM_CHECKER_H
#define VM_CHECKER_H 1

#include "os_checker.h"
#include "region.h"

typedef struct vmck_block {
    struct vmck_block *next;          /* of the same hash */
    struct vmck_block *newer, *older; /* of the same region */
    struct vmck_region *region;
    uintptr_t hidden; /* ~ its address: no pointer, by which a search for leaks would find it */
    size_t size;
} vmck_block_t;

typedef struct vmck_region {
    struct vmck_region *next; /* of the same hash */
    const Vmdata_t *data;     /* whose; also its pool in Valgrind */
    Vmethod_t plain;          /* the method's functions */
    vmck_block_t *newest;
} vmck_region_t;

/* ---- the book (book.c) ---- */

/* NULL: no memory. */
vmck_region_t *vmck_add(const Vmdata_t *data, const Vmethod_t *plain);
/* The region, NULL: it is not told of. */
vmck_region_t *vmck_region(const Vmdata_t *data);
/* Its blocks go from the book, and it. */
void vmck_remove(vmck_region_t *r);
/* A block is entered.  -1: no memory. */
int vmck_note(vmck_region_t *r, const void *p, size_t size);
/* Its size, -1: it is not in the book. */
long vmck_size(const vmck_region_t *r, const void *p);
/* Another size. */
void vmck_resize(const vmck_region_t *r, const void *p, size_t size);
/* Take it out: 1; 0: it is not in the book. */
int vmck_drop(vmck_region_t *r, const void *p);
/* The block that was entered last, with its size; NULL: none. */
const void *vmck_newest(const vmck_region_t *r, size_t *size);

/* ---- calls (calls.c) ---- */

/* The handle calls our functions from here on. */
void vmck_wrap(Vmalloc_t *vm);

/* ---- what becomes of regions (life.c) ---- */

/* A block is about to be announced.  At the first one something is made ready for the end of the process: not
 * earlier, for Vmheap may be opened before AddressSanitizer has begun. */
void vmck_first(void);

extern const vmr_checker_t vmck_checker;

#endif
