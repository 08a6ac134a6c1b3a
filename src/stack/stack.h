/* SPDX-License-Identifier: MIT */
/*
 * stack: who called.  Walks stacks, keeps each distinct stack once, knows the loaded modules, and
 * turns addresses into names.  Knows base and os.
 *
 * A stack is an array of addresses, innermost first.  Each entry is an address such that the
 * entry less one lies in the instruction that was being carried out: a return address as it is,
 * the place of a fault or of an interruption plus one.  So every entry is treated alike, and who
 * prints an entry prints what vmsk_place() makes of it.
 *
 * Nothing here allocates, and nothing but vmsk_refresh() and vmsk_resolve() may wait for another
 * thread.  Everything but these two may be called in signal handlers, from any thread, in a child
 * of fork, under any lock, and before main().  errno is kept.
 */
#ifndef VMSK_STACK_H
#define VMSK_STACK_H 1

#include "base.h"
#include "os_stack.h"

/* Longest stack that the table of stacks keeps; vmsk_capture() itself has no limit but max. */
#define VMSK_DEPTH 255

/* ---- walking (capture.c) ---- */

/* The stack of the calling thread: at most max entries into pcs.  Entries inside this library are
 * left out where it is a shared library of its own; then skip more are left out.  In a static link
 * the first entry (skip 0) is in the caller of vmsk_capture(), and who prints trims what is ours.
 * Returns how many entries there are.  30 to 60 ns for ten of them when the places are known. */
size_t vmsk_capture(void **pcs, size_t max, size_t skip);

/* In a signal handler: the stack that the signal interrupted; context is the handler's third
 * argument.  The first entry is the interrupted instruction (plus one, as said above), whether
 * ours or not. */
size_t vmsk_capture_context(void **pcs, size_t max, const void *context);
/* The same when the instruction is not there: what may lie there is no code, as where a block was called. */
size_t vmsk_capture_jump(void **pcs, size_t max, const void *context);

/* The stack of a thread of this process that does not run meanwhile, from its registers: program
 * counter, stack pointer, frame pointer (0: unknown) and, where the machine has one, the link
 * register (0: unknown). */
size_t vmsk_capture_regs(void **pcs, size_t max, uintptr_t pc, uintptr_t sp, uintptr_t fp,
                         uintptr_t lr);

/* Forget what is known of the code at all addresses: wanted only by who loads code at addresses
 * where other code lay, without telling the system's loader. */
void vmsk_forget(void);

/* ---- stacks that come again (again.c) ---- */

/* What one thread remembers: vmsk_again_size() bytes, all zeros at first, for no other thread. */
typedef struct vmsk_again vmsk_again_t;
size_t vmsk_again_size(void);

/* Where the thread is, between the two calls below. */
typedef struct vmsk_here {
    vmos_regs_t regs;
    uintptr_t high;
    uint64_t key, salt, epoch;
} vmsk_here_t;

/* Whether the present stack, as it is to return from this call, is one that is remembered with
 * that salt: where its value lies; else NULL.  8 ns instead of a walk. */
uint32_t *vmsk_known(vmsk_again_t *t, uint64_t salt, vmsk_here_t *here);
/* That stack, which is not known, as vmsk_capture() has it: less than half the time where most of it is
 * that of the thread's last one.  0: it takes a vmsk_capture(). */
size_t vmsk_capture_near(vmsk_again_t *t, const vmsk_here_t *here, void **pcs, size_t max);
/* The same by a walk from end to end, from the same entry on, in a static link too. */
size_t vmsk_capture_here(const vmsk_here_t *here, void **pcs, size_t max);
/* The stack of before, n entries as vmsk_capture() gave them to the same caller, is worth
 * remembering: the value shall be found when it comes again; not 0. */
void vmsk_remember(vmsk_again_t *t, const vmsk_here_t *here, void *const *pcs, size_t n,
                   uint32_t value);

/* ---- the table of stacks (table.c) ---- */

/* The number of a stack: the same for the same n entries, never 0, until the process ends.  0:
 * unknown, that is n is 0 or the table is full.  Of more than VMSK_DEPTH entries the outer ones
 * are dropped. */
uint32_t vmsk_intern(void *const *pcs, size_t n);
/* The stack of that number and how many entries it has: NULL and 0 for 0 and for what is no
 * number of a stack. */
void *const *vmsk_lookup(uint32_t id, size_t *n);

typedef struct vmsk_usage {
    uint32_t stacks;   /* distinct stacks kept */
    size_t memory;     /* bytes mapped for them and for the table */
    uint64_t unknown;  /* times that a stack got number 0 because the table was full */
} vmsk_usage_t;
void vmsk_usage(vmsk_usage_t *u);
/* Most bytes that stacks may take from now on, the table not counted (4.2 MiB at most); rounded
 * down to a MiB, at most VMSK_MOST, which is also what holds before the first call. */
#define VMSK_MOST ((size_t)512 << 20)
void vmsk_limit(size_t bytes);

/* ---- modules (module.c) ---- */

#define VMSK_IDSIZE 32 /* longest build-id kept; the usual one has 20 bytes */

/* A program or shared library that was loaded at some time.  Never moves, never goes. */
typedef struct vmsk_module {
    const char *path;       /* absolute where known; "[vdso]"; "" when it has no name */
    uintptr_t bias;         /* address in memory less address in the file's symbols */
    uintptr_t low, high;    /* addresses of all of it, [low, high) */
    uintptr_t text, etext;  /* addresses of its code, [text, etext) */
    uint32_t born, gone;    /* generations when it was noted and when it went; 0: still loaded */
    uint32_t nid;           /* bytes of build-id, 0: it has none */
    unsigned char id[VMSK_IDSIZE];
} vmsk_module_t;

/* Compare what is loaded with what is known: new modules are noted, those no longer there are
 * marked as gone, and a generation is counted if there are any.  Takes the loader's lock: not
 * under a lock of ours, not in a signal handler.  Modules seen in stacks are noted without this. */
void vmsk_refresh(void);
/* The present generation, 1 at first.  Worth keeping beside a stack whose program loads and
 * unloads libraries. */
uint32_t vmsk_generation(void);
/* f(module, arg) for each module known, those gone included, in the order in which they were
 * noted, until f returns non-zero, which is returned; else 0. */
int vmsk_modules(int (*f)(const vmsk_module_t *m, void *arg), void *arg);
/* Where an entry of a stack lies: the module (NULL: none known) and the offset within the file's
 * addresses of the entry less one, that is what addr2line wants.  Returns 0, or -1 when no module
 * has it: *offset is then the address less one.  Loaded modules go before those gone; of these the
 * last one. */
int vmsk_place(const void *pc, const vmsk_module_t **module, uintptr_t *offset);
/* The same as it was in a generation. */
int vmsk_place_at(const void *pc, uint32_t generation, const vmsk_module_t **module,
                  uintptr_t *offset);

/* ---- names (resolve.c) ---- */

/* A function that an entry lies in.  Inlined functions come first, the one that contains them
 * last; texts are never NULL but may be "", and last until the callback returns. */
typedef struct vmsk_name {
    const char *function; /* demangled; "" unknown */
    const char *file;     /* as the compiler was told, with its folder; "" unknown */
    unsigned line;        /* 0 unknown */
    int inlined;          /* another name for the same entry follows */
} vmsk_name_t;

/* f(i, place, arg) for the entries pcs[i] in order, once or, where functions were inlined, more
 * often.  The names come from a helper process, "vmalloc symbols", which the environment's
 * VMALLOC_TOOL names, or which lies beside this library, in ../bin from there, or in PATH.  When
 * there is none, or it does not answer within millis milliseconds (0: do not ask it), the
 * functions that a module exports are still named.  The program does not see the helper: no
 * SIGCHLD, no child to wait for.  Returns 0, or -1 when the helper did not answer for all.
 * Waits: not under a lock.  Safe after fork, with descriptors 0 to 2 closed, in a signal handler
 * of a program that is about to die. */
int vmsk_resolve(void *const *pcs, size_t n, unsigned millis,
                 void (*f)(size_t i, const vmsk_name_t *name, void *arg), void *arg);

/* The exported function that contains entry pc, from the module's own table in memory, with the
 * distance from its start; NULL: none.  Mangled as the linker knows it. */
const char *vmsk_symbol(const void *pc, uintptr_t *distance);

#endif
