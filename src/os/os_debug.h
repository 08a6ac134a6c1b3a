/* SPDX-License-Identifier: MIT */
/*
 * os_debug: what Vmdebug must know of the host: memory that may not be there, guards in page tables,
 * signals of faults, hardware watchpoints.  A part of the room os.
 */
#ifndef VM_OS_DEBUG_H
#define VM_OS_DEBUG_H 1

#include "os.h"

/* ---- threads ---- */

long vmos_tid(void);
/* The name of a living thread of this process, "" when it cannot be told. */
void vmos_threadname(long tid, char *name, size_t size);

/* ---- memory that may not be there ---- */

/* Copy n bytes from addr: how many could be read before one that could not. */
size_t vmos_peek(const void *addr, void *to, size_t n);
/* Whether an entry of environ can be read: who gave it may have freed it since.  Linux only. */
int vmos_isvariable(const char *variable);

/* The mapping that holds addr.  0, or -1: none, or not known. */
typedef struct vmos_mapping {
    uintptr_t low, high;
    int read, write, exec, shared;
    char name[256]; /* path, "[stack]", ...; "" anonymous */
} vmos_mapping_t;
int vmos_mapping(const void *addr, vmos_mapping_t *m);
/* f for each mapping in order of addresses until it returns non-zero, which is returned; -1
 * when the system does not tell (ENOTSUP), or not now, for want of descriptors or memory (EAGAIN). */
int vmos_mappings(int (*f)(const vmos_mapping_t *m, void *arg), void *arg);

/* ---- guards in page tables: no access, at no mapping of their own ---- */

/* Whether the kernel has them (Linux 6.13); tried out once. */
int vmos_guards(void);
/* Pages of private anonymous memory become inaccessible, what they held is lost; and accessible
 * again, cleared. */
int vmos_guard(void *addr, size_t size);
int vmos_unguard(void *addr, size_t size);
/* How many mappings a process may have, 0: not known. */
size_t vmos_maxmappings(void);

/* ---- faults ---- */

typedef struct vmos_fault {
    const void *addr; /* accessed; NULL when the processor does not tell */
    int known;        /* addr is right: not so for addresses that no pointer can have */
    int write;        /* 1 write, 0 read, -1 not known */
    int jump;         /* it is the next instruction that is not there: a call or jump led to addr */
    int handled;      /* the program has a handler of its own for it */
    const void *context;
} vmos_fault_t;

/* Call f in the thread that accessed memory that it may not.  f returns 1 when the access may be
 * tried again; 0: whatever handled the signal before decides (and vmos_fault_next() says what
 * that is now), which may end the process.  Runs on the alternate stack where the thread has
 * one, and gives the calling thread one.  0 or -1. */
int vmos_onfault(int (*f)(const vmos_fault_t *fault));
/* f(value, arg) for the general registers at the fault until it returns non-zero, which is
 * returned; 0 where they are not known. */
int vmos_fault_registers(const void *context, int (*f)(uintptr_t value, void *arg), void *arg);
/* Whether the signal is one of faults whose handler is ours; then what the program asks for is kept
 * beside: act and old as of sigaction(), NULL allowed.  -1: not ours, or none is installed. */
struct sigaction;
int vmos_fault_action(int sig, const struct sigaction *act, struct sigaction *old);

/* ---- calls between modules ---- */

/* In all modules that are loaded now, but this library, libc and the loader: calls of the function
 * `name` go to `to`, if they would go to libc's.  *real gets what that is.  Which are patched is
 * found by the symbol tables of the modules; a program that is linked statically has none.  Each
 * module is looked at once: a second call is for those that came since.  Takes the loader's lock. */
typedef struct vmos_patch {
    const char *name;
    void *to;
    void *real; /* libc's own; NULL: it has none */
} vmos_patch_t;
void vmos_patch(const vmos_patch_t *table, size_t n);

/* ---- hardware watchpoints ---- */

#define VMOS_WATCHES 4
/* f(slot, context) in the thread that accessed what a slot watches, after the instruction, in a signal
 * handler.  Returns how many slots there are, 0 with errno when none. */
int vmos_watch_begin(void (*f)(int slot, const void *context));
/* Watch len (1, 2, 4 or 8) bytes at addr, a multiple of it, for writes, or for reads too; addr NULL:
 * nothing.  In all threads.  0 or -1. */
int vmos_watch(int slot, const void *addr, size_t len, int reads);
void vmos_watch_forked(void); /* in the child: there are none there */

/* ---- the end ---- */

/* f(status) when the process ends by exit() or by return from main(), after all that was registered
 * later.  status -1: not known.  0 or -1. */
int vmos_onexit(void (*f)(int status));
void vmos_exit(int status) __attribute__((noreturn)); /* exit(): handlers not yet run go on */

#endif
