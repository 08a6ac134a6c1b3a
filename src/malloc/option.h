/* SPDX-License-Identifier: MIT */
/*
 * option: how a topic adds its options: a table of names and setters.  For the files option*.c.
 *
 * A setter gets the value as a piece of the text, which is empty when none was given, and answers
 * NULL or what is wrong.  It runs before any memory is to be had.
 */
#ifndef VM_MALLOC_OPTION_H
#define VM_MALLOC_OPTION_H 1

#include "malloc.h"
#include "options.h"

/* A piece of the text. */
typedef struct vmma_word {
    const char *s;
    size_t n;
} vmma_word_t;

/* What to tell of an option; NULL: it took effect. */
typedef const char *vmma_answer_t;
extern const char vmma_nosuch[] VMMA_HIDDEN;
extern const char vmma_nosense[] VMMA_HIDDEN;
extern const char vmma_notnow[] VMMA_HIDDEN;

typedef struct vmma_option {
    const char *name;
    size_t least; /* letters that must be there */
    vmma_answer_t (*set)(vmma_word_t value);
} vmma_option_t;

/* The tables, each ends with name NULL; options.c lists them. */
extern const vmma_option_t vmma_options_basic[] VMMA_HIDDEN;
extern const vmma_option_t vmma_options_trace[] VMMA_HIDDEN;
extern const vmma_option_t vmma_options_debug[] VMMA_HIDDEN;
extern const vmma_option_t vmma_options_profile[] VMMA_HIDDEN;

/* Read one word of the variable: sets the option, or tells why not. */
VMMA_HIDDEN void vmma_option_set(const char *variable, vmma_word_t w);

/* ---- words (option_word.c) ---- */

/* In letters of any case; s: in small ones. */
VMMA_HIDDEN int vmma_word_is(vmma_word_t w, const char *s);
/* A number with a suffix; 0 when it is none. */
VMMA_HIDDEN size_t vmma_word_number(vmma_word_t w);
/* The number in "&n" or "/dev/fd/n".  -1: is none. */
VMMA_HIDDEN int vmma_word_fd(vmma_word_t w);
/* A file to write to, with %p for the process number.  Its descriptor, or -1. */
VMMA_HIDDEN int vmma_word_open(vmma_word_t w);
/* Without the "Vm" that may stand in front of a method's name. */
VMMA_HIDDEN vmma_word_t vmma_word_without_vm(vmma_word_t w);

/* What VMTRACE and trace= do. */
VMMA_HIDDEN vmma_answer_t vmma_set_trace(vmma_word_t value);
/* format= with one of the forms of a trace, and report= with one of those of reports. */
VMMA_HIDDEN vmma_answer_t vmma_set_traceform(vmma_word_t value);
VMMA_HIDDEN vmma_answer_t vmma_set_reportform(vmma_word_t value);
/* What VMPROFILE and profile= do. */
VMMA_HIDDEN vmma_answer_t vmma_set_profile(vmma_word_t value);
/* What VMDEBUG does. */
VMMA_HIDDEN vmma_answer_t vmma_set_vmdebug(vmma_word_t value);
/* What VMETHOD and method= do. */
VMMA_HIDDEN vmma_answer_t vmma_set_method(vmma_word_t value);

#endif
