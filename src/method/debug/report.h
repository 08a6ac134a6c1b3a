/* SPDX-License-Identifier: MIT */
/*
 * report: what the files that tell of errors share: report*.c, sentence.c, frames.c, suppress*.c,
 * leaks*.c.  All of it runs under the one lock of reports (report.c), with no other lock held; it
 * allocates nothing, and writes with one call for each report.
 */
#ifndef VM_DEBUG_REPORT_H
#define VM_DEBUG_REPORT_H 1

#include "debug.h"
#include "os_scan.h"

/* ---- names of kinds and sentences (sentence.c) ---- */

/* "past-end", "double-free", ...: in suppressions and in JSON. */
const char *vmdg_kindname(vmdg_kind_t kind);
/* What happened and where, without a line's end. */
void vmdg_sentence(vmb_out_t *o, const vmdg_error_t *e);
/* "malloc", "new[]"; and who gives such a block back. */
const char *vmdg_familyname(vmdg_family_t family);
const char *vmdg_freename(vmdg_family_t family);
/* "1 byte", "24 bytes". */
void vmdg_bytes(vmb_out_t *o, size_t n);

/* ---- names of a stack's entries (frames.c) ---- */

typedef struct vmdg_frame {
    const char *function; /* "" unknown */
    const char *file;     /* "" unknown */
    unsigned line;
    int inlined;          /* the next frame is of the same entry */
    const char *object;   /* path of the module, "" unknown */
    uintptr_t offset;     /* within it, or the address */
    const void *pc;
} vmdg_frame_t;

#define VMDG_FRAMES 64
typedef struct vmdg_trace {
    size_t n, more; /* frames, and how many there were no room for */
    vmdg_frame_t frame[VMDG_FRAMES];
    vmdg_place_t place; /* of VMFL */
} vmdg_trace_t;

/* Ask for the names of these stacks (0: none) at once, so that a helper is started only once. */
void vmdg_frames_want(const uint32_t *stacks, size_t n);
/* Whether the helper that knows names was not found or did not answer, and the user does not know yet: 1 once. */
int vmdg_frames_nohelper(void);
/* The frames of a stack; what is outside of main() and of a thread's function is left out. */
void vmdg_frames(uint32_t stack, vmdg_trace_t *t);
/* All of them, those included. */
void vmdg_frames_all(uint32_t stack, vmdg_trace_t *t);

/* ---- suppressions (suppress.c) ---- */

/* Whether an error of that kind with that trace is to be left out.  access: for kinds of others. */
int vmdg_suppressed(vmdg_kind_t kind, const vmdg_trace_t *t);
/* Whether it is worth while to name the frames for that. */
int vmdg_suppress_asks(vmdg_kind_t kind);
/* A line that suppresses this error. */
void vmdg_suppress_line(vmb_out_t *o, vmdg_kind_t kind, const vmdg_trace_t *t);
/* Entries from a text of n bytes: how many, or -1 when it is not understood; then *line gets the line
 * of the first error.  Entries before it count. */
int vmdg_suppress_parse(const char *text, size_t n, unsigned *line);
/* Forget all entries. */
void vmdg_suppress_reset(void);
/* Whether a text matches a pattern with * and ?. */
int vmdg_glob(const char *pattern, size_t n, const char *text);
extern const char vmdg_suppress_default[] VMOS_HIDDEN;

/* ---- the forms (report_text.c, report_json.c, report_original.c) ---- */

typedef struct vmdg_report {
    const vmdg_error_t *e;
    unsigned number;        /* of the report */
    vmdg_trace_t *at, *alloc, *freed;
    int colour;
} vmdg_report_t;
void vmdg_report_text(vmb_out_t *o, const vmdg_report_t *r);
void vmdg_report_json(vmb_out_t *o, const vmdg_report_t *r);
void vmdg_report_original(vmb_out_t *o, const vmdg_report_t *r);

/* A trace, a frame a line, at most `most` of them. */
void vmdg_text_trace(vmb_out_t *o, const vmdg_trace_t *t, size_t most);
/* Where names would come from, once when nobody gave them. */
void vmdg_text_nohelper(vmb_out_t *o);
/* The bytes around the fault, drawn (report_bytes.c). */
void vmdg_text_bytes(vmb_out_t *o, const vmdg_error_t *e, int colour);
/* A byte of the block's surroundings is not what belongs there. */
int vmdg_damaged(const vmdg_block_t *b, const char *a, unsigned char now);

/* A text within quotes, and "name":[frames]. */
void vmdg_json_text(vmb_out_t *o, const char *s);
void vmdg_json_trace(vmb_out_t *o, const char *name, const vmdg_trace_t *t);

/* ---- output (report.c) ---- */

/* Take the lock of reports; -1: this thread has it, or it cannot be had in time. */
int vmdg_report_enter(void);
void vmdg_report_leave(void);
/* What is read once: suppressions.  With the lock. */
void vmdg_report_prepare(void);
/* A text to where reports go. */
void vmdg_report_write(const vmb_out_t *o);
int vmdg_report_colour(void);
void vmdg_report_renew(void); /* in the child of a fork */
/* The buffer of the lock's holder, empty. */
vmb_out_t vmdg_report_buffer(void);

#endif
