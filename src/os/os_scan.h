/* SPDX-License-Identifier: MIT */
/*
 * os_scan: what the scan for leaks and the reports must know of the host: threads that
 * stand still, memory that was touched, terminals, files.  A part of the room os.
 */
#ifndef VM_OS_SCAN_H
#define VM_OS_SCAN_H 1

#include "os.h"

/* ---- all other threads stand still ---- */

typedef struct vmos_stopped {
    long tid;
    uintptr_t sp; /* the stack is in use from here on, registers lie above; 0: not known */
    const void *context; /* of the signal, when registers lie there, on a stack for signals; else NULL */
} vmos_stopped_t;

/* Stop the other threads of the process by a signal, each of them in its handler.  Waits at most
 * millis milliseconds.  The number of other threads, of which those that did not answer have sp 0; -1
 * when the system cannot do this.  At most `most` are told. */
long vmos_world_stop(vmos_stopped_t *threads, size_t most, unsigned millis);
/* All go on. */
void vmos_world_go(void);

/* ---- memory ---- */

/* How many of the kernel's n pages from addr on (at most 512) were touched; which[] gets a bit for each, that is
 * set also where it is not known. */
size_t vmos_touched(const void *addr, size_t n, uint64_t which[8]);

/* ---- files ---- */

int vmos_isterminal(int fd);
/* Whether the program's file has no table of all its symbols: 1, 0, or -1 not known. */
int vmos_stripped(void);
/* Read the file, at most size bytes.  How many, or -1. */
long vmos_readfile(const char *path, char *to, size_t size);

#endif
