/* SPDX-License-Identifier: MIT */
/*
 * options: what VMALLOC_OPTIONS says.  Read once, before Vmheap is open: needs no memory.
 */
#ifndef VM_MALLOC_OPTIONS_H
#define VM_MALLOC_OPTIONS_H 1

#include <vmalloc.h>

typedef struct vmma_options {
    int noabort;       /* go on after misuse */
    int keep;          /* free() does nothing */
    int brk;           /* memory from sbrk() first */
    int usage;         /* statistics at the end */
    int verbose;       /* tell at the start what was chosen */
    size_t segsize;    /* segments are multiples of this; 0: as the discipline says */
    Vmethod_t *method; /* of Vmregion; NULL: not said, Vmheap */
    int warnfd;        /* messages go there; -1: not said */
    int debug;         /* Vmdebug, over the method */
    const char *stat;  /* file for statistics at the end, not ended by a zero */
    size_t statlen;    /* its length, 0: none */
    const char *trace; /* file to trace into, not ended by a zero */
    size_t tracelen;   /* its length, 0: no trace */
    int tracefd;       /* descriptor to trace to; -1: not said */
    int profile;               /* Vmprofile, over the method */
    const char *profilefile;   /* its file, not ended by a zero */
    size_t profilelen;         /* its length, 0: none */
    int profilefd;             /* descriptor for the original's report; -1: none */
    int profileoriginal;       /* the original's report, and no file of ours */
    int profilesignal;         /* a copy at this signal; 0: none */
    int traceform;     /* 1 binary, -1 text, 0: as the file's name says */
} vmma_options_t;

extern vmma_options_t vmma_options __attribute__((visibility("hidden")));

__attribute__((visibility("hidden"))) void vmma_options_read(void);
/* The same from a text, for the tests of the parser. */
__attribute__((visibility("hidden"))) void vmma_options_parse(const char *text);

#endif
