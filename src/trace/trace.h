/* SPDX-License-Identifier: MIT */
/*
 * trace: records of the calls on regions.  Knows region, base, os.
 *
 *   a region's handle  ->  wrap.c  ->  vmtr_note()  ->  text.c: a line
 *                                                   ->  binary.c: a record in the thread's chunk
 *
 * Nothing of it costs anything while no region is traced: see doc/design/trace.md.
 */
#ifndef VM_TRACE_H
#define VM_TRACE_H 1

#include "region.h"
#include <vmalloc/trace.h>

/* A call, or what became of a region. */
typedef struct vmtr_event {
    int kind; /* VM_TRALLOC, ... */
    Vmalloc_t *vm;
    const void *old, *new;
    size_t size, align;
    uint64_t seq, moved; /* binary form; moved: from seq to the number drawn when it was done */
    vmr_place_t place;   /* where it was made; text only */
} vmtr_event_t;

/* ---- for the malloc interface ---- */

/* Regions that are being traced: while it is not 0, look whether a handle has VMR_TRACED before
 * going past its method. */
extern int vmtr_count VMOS_HIDDEN;
/* Called when Vmheap's calls begin to be traced; NULL: nobody takes short cuts there. */
extern void (*vmtr_onheap)(void) VMOS_HIDDEN;

/* ---- inside the room ---- */

/* Where records go. */
enum { VMTR_OFF, VMTR_TEXT, VMTR_BINARY };
extern int vmtr_form;

/* Have a region's calls recorded, or not any more. */
void vmtr_wrap(Vmalloc_t *vm);
void vmtr_unwrap(Vmalloc_t *vm);

/* Write it down; keeps errno.  vmr_inside is not 0. */
void vmtr_note(const vmtr_event_t *e);
/* The next number of the sequence, 0 in text. */
uint64_t vmtr_draw(void);
/* The letter of a region's method. */
int vmtr_letter(const Vmalloc_t *vm);

/* ---- text.c ---- */
extern int vmtr_fd; /* -1: none */
void vmtr_text(const vmtr_event_t *e);

/* ---- binary.c ---- */
/* Chunks of the file are at hand from now on; what threads had before is void. */
void vmtr_binary_begin(void);
void vmtr_binary(const vmtr_event_t *e);
/* The calling thread ends; it may have left a record half written by a longjmp(). */
void vmtr_binary_exit(void);
void vmtr_binary_jumped(void);
/* In the child of a fork: no other thread, no lock. */
void vmtr_binary_forked(void);

/* ---- file.c ---- */
#define VMTR_PATH 4096
/* Make and, if it is to be binary, map the file.  0, -1 with errno. */
int vmtr_file_begin(const char *path, int binary);
void vmtr_file_end(void);
/* The file has another name in the child of a fork. */
int vmtr_file_forked(void);
/* The file of the path begun: its descriptor, -1: none. */
int vmtr_file_fd(void);
/* A new chunk, filled with zeros; NULL: no room, or the trace has ended. */
void *vmtr_file_chunk(void);
Vmtrhead_t *vmtr_file_head(void); /* NULL: none is open */
/* Nanoseconds since the trace began. */
uint64_t vmtr_file_time(void);

#endif
