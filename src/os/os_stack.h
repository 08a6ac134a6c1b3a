/* SPDX-License-Identifier: MIT */
/*
 * os_stack: what the walker of stacks must know of the host: registers, the words of a signal's
 * context, whether memory can be read, loaded modules.  A part of the room os.
 */
#ifndef VM_OS_STACK_H
#define VM_OS_STACK_H 1

#include "os.h"

/* Numbers of registers in the unwind tables of this machine.  VMOS_CFI 0: none are read here. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define VMOS_CFI 1
#define VMOS_REG_FP 6  /* rbp */
#define VMOS_REG_SP 7  /* rsp */
#define VMOS_REG_RA 16 /* rip */
#elif defined(__aarch64__) && !defined(__ILP32__)
#define VMOS_CFI 1
#define VMOS_REG_FP 29
#define VMOS_REG_SP 31
#define VMOS_REG_RA 30
#else
#define VMOS_CFI 0
#define VMOS_REG_FP 0
#define VMOS_REG_SP 1
#define VMOS_REG_RA 2
#endif

/* What the walker follows.  lr: the link register, 0 where the machine has none or its value is
 * not known. */
typedef struct vmos_regs {
    uintptr_t pc, sp, fp, lr;
} vmos_regs_t;

/* The registers of the caller of the function this is used in, as they are when that function has
 * returned: pc is the return address.  The function must not be inlined. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define VMOS_REGS_OF_CALLER(r)                                                                   \
    do {                                                                                         \
        uintptr_t *frame_ = __builtin_frame_address(0);                                          \
        (r)->fp = frame_[0];                                                                     \
        (r)->pc = frame_[1];                                                                     \
        (r)->sp = (uintptr_t)(frame_ + 2);                                                       \
        (r)->lr = 0;                                                                             \
    } while (0)
#endif

/* A return address without the bits that sign it. */
VMOS_INLINE uintptr_t vmos_plainpc(uintptr_t pc)
{
#if defined(__aarch64__)
    register uintptr_t x30 __asm__("x30") = pc;
    __asm__("hint #7" : "+r"(x30)); /* xpaclri */
    return x30;
#else
    return pc;
#endif
}

/* Registers from the third argument of a signal handler: 0, -1 where that is not known. */
int vmos_regs_of_context(vmos_regs_t *r, const void *context);
/* Where in the frame that a signal handler returns to, at stack pointer sp, the context lies: the
 * address, 0 when not known. */
uintptr_t vmos_signal_context(uintptr_t sp);
/* Bytes of a context from its address on that vmos_regs_of_context() reads. */
size_t vmos_context_size(void);
/* Whether code at pc is the system's return from a signal handler, found by its instructions. */
int vmos_is_sigreturn(uintptr_t pc);

/* Whether the page of addr can be read: asks the system, 100 ns. */
int vmos_readable(const void *addr);
/* An address that the stack of the calling thread surely reaches up to without a gap from any
 * frame below it: 0 when not known. */
uintptr_t vmos_stacktop(uintptr_t sp);

/* ---- modules ---- */

typedef struct vmos_module {
    const char *path;      /* "" for the program and the vdso; valid while it is loaded */
    uintptr_t bias;
    uintptr_t low, high;
    const void *phdr;      /* program headers in memory, NULL unknown */
    size_t nphdr;
    const void *unwind;    /* .eh_frame_hdr, NULL: none */
} vmos_module_t;

/* The module with code at addr: 0, or -1 none.  Takes no lock.  Unless vmos_module_fast(), it
 * always answers -1. */
int vmos_module_fast(void);
int vmos_module_at(uintptr_t addr, vmos_module_t *m);
/* f(m, arg) for each loaded module, under the loader's lock. */
void vmos_module_each(void (*f)(const vmos_module_t *m, void *arg), void *arg);

#endif
