/* SPDX-License-Identifier: MIT */
/*
 * os_stack: what the walker of stacks must know of the host: registers, the words of a signal's
 * context, whether memory can be read, loaded modules, their exported functions, and how to run a
 * helper that the program does not notice.  A part of the room os.
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
#elif defined(__i386__) && defined(__linux__)
#define VMOS_CFI 1
#define VMOS_REG_FP 5 /* ebp */
#define VMOS_REG_SP 4 /* esp */
#define VMOS_REG_RA 8 /* eip */
#elif defined(__riscv) && __riscv_xlen == 64
#define VMOS_CFI 1
#define VMOS_REG_FP 8
#define VMOS_REG_SP 2
#define VMOS_REG_RA 1
#elif defined(__s390x__)
#define VMOS_CFI 1
#define VMOS_REG_FP 11
#define VMOS_REG_SP 15
#define VMOS_REG_RA 14
#else
#define VMOS_CFI 0
#define VMOS_REG_FP 0
#define VMOS_REG_SP 1
#define VMOS_REG_RA 2
#endif

/* By how much CFA, as the tables have it, lies above the stack pointer of the caller. */
#if defined(__s390x__)
#define VMOS_CFA_BIAS 160
#else
#define VMOS_CFA_BIAS 0
#endif

/* Whether frame pointers make a chain, | the caller's | return address |, in code that compilers make unasked. */
#if defined(__s390x__) || defined(__riscv)
#define VMOS_CHAINED 0
#else
#define VMOS_CHAINED 1
#endif

/* Whether a call puts the return address on the stack, and not into the link register. */
#if defined(__x86_64__) || defined(__i386__)
#define VMOS_RA_ON_STACK 1
#else
#define VMOS_RA_ON_STACK 0
#endif

/* What the walker follows.  lr: the link register, 0 where the machine has none or its value is
 * not known. */
typedef struct vmos_regs {
    uintptr_t pc, sp, fp, lr;
} vmos_regs_t;

/* Registers to begin a walk with, in a function that is not inlined.  Where VMOS_CALLER is 1 they
 * are those of its caller as it returns, else its own. */
#if (defined(__x86_64__) && !defined(__ILP32__)) || (defined(__i386__) && defined(__linux__))
#define VMOS_CALLER 1
#define VMOS_REGS(r)                                                                             \
    do {                                                                                         \
        const uintptr_t *frame_ = __builtin_frame_address(0);                                    \
        (r)->fp = frame_[0];                                                                     \
        (r)->pc = frame_[1];                                                                     \
        (r)->sp = (uintptr_t)(frame_ + 2);                                                       \
        (r)->lr = 0;                                                                             \
    } while (0)
#elif defined(__aarch64__) && !defined(__ILP32__)
#define VMOS_CALLER 0
#define VMOS_REGS(r)                                                                             \
    do {                                                                                         \
        (r)->lr = 0;                                                                             \
        __asm__("adr %0, .+4\n\tmov %1, sp\n\tmov %2, x29"                                       \
                : "=r"((r)->pc), "=r"((r)->sp), "=r"((r)->fp));                                  \
    } while (0)
#elif defined(__riscv) && __riscv_xlen == 64
#define VMOS_CALLER 0
#define VMOS_REGS(r)                                                                             \
    do {                                                                                         \
        (r)->lr = 0;                                                                             \
        __asm__("auipc %0, 0\n\tmv %1, sp\n\tmv %2, s0"                                          \
                : "=&r"((r)->pc), "=&r"((r)->sp), "=r"((r)->fp));                                \
    } while (0)
#elif defined(__s390x__)
#define VMOS_CALLER 0
#define VMOS_REGS(r)                                                                             \
    do {                                                                                         \
        (r)->lr = 0;                                                                             \
        __asm__("larl %0, .\n\tlgr %1, %%r15\n\tlgr %2, %%r11"                                   \
                : "=&r"((r)->pc), "=&r"((r)->sp), "=r"((r)->fp));                                \
    } while (0)
#else
#define VMOS_CALLER 1
#define VMOS_REGS(r)                                                                             \
    do {                                                                                         \
        (r)->pc = (uintptr_t)__builtin_return_address(0);                                        \
        (r)->sp = (uintptr_t)__builtin_frame_address(0);                                         \
        (r)->fp = (uintptr_t)__builtin_frame_address(0);                                         \
        (r)->lr = 0;                                                                             \
    } while (0)
#endif

/* For functions that read stacks of others: what lies there is not theirs to check. */
#if defined(__GNUC__)
#define VMOS_UNCHECKED                                                                           \
    __attribute__((no_sanitize("address"), no_sanitize("undefined"), no_sanitize("thread")))
#else
#define VMOS_UNCHECKED
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
/* Whether the code from pc on is that which a signal handler returns to; 16 bytes of it must be
 * readable. */
int vmos_is_sigreturn(uintptr_t pc);

/* How many bytes of [addr, addr+size) can be read, from the first on, in whole pages: asks the
 * system, 200 ns and 50 a page.  It may fill in pages that were never touched. */
size_t vmos_readable(uintptr_t addr, size_t size);
/* An address above sp that the stack of the calling thread may reach up to: 0, none is known. */
uintptr_t vmos_stacktop(uintptr_t sp);

/* ---- modules ---- */

typedef struct vmos_module {
    const char *path;      /* as the loader has it, "" for the program; valid while it is loaded */
    uintptr_t bias;
    uintptr_t low, high;
    const void *phdr;      /* program headers in memory, NULL unknown */
    size_t nphdr;
    const void *unwind;    /* .eh_frame_hdr, NULL: none */
    const void *frames;    /* .eh_frame of a program without that, NULL: not known */
    size_t nframes;        /* its bytes */
} vmos_module_t;

/* The module that addr lies in: 0, or -1 none.  Takes no lock.  Where the loader cannot be asked
 * so, vmos_module_fast() is 0 and the answer -1. */
int vmos_module_fast(void);
int vmos_module_at(uintptr_t addr, vmos_module_t *m);
/* f(m, arg) for each loaded module, under the loader's lock. */
void vmos_module_each(void (*f)(const vmos_module_t *m, void *arg), void *arg);
/* Set m->frames of the program, from its file; for who has no m->unwind. */
void vmos_module_frames(vmos_module_t *m);
/* Code, and the build-id (0 bytes: none), as the program headers say. */
void vmos_module_code(const vmos_module_t *m, uintptr_t *text, uintptr_t *etext);
size_t vmos_module_id(const vmos_module_t *m, unsigned char *id, size_t size);
/* The absolute path of m->path into buf, "[vdso]" for the system's own: its length. */
size_t vmos_module_path(const vmos_module_t *m, char *buf, size_t size);

/* The name that a library m was linked with, whatever its file is called; NULL: none, or not known. */
const char *vmos_module_soname(const vmos_module_t *m);

/* The exported function of m that contains addr, and where it begins; NULL: none. */
const char *vmos_symbol_at(const vmos_module_t *m, uintptr_t addr, uintptr_t *start);

/* ---- a helper process (os_helper_*.c) ---- */

typedef struct vmos_helper {
    long pid;
    int fd; /* one end of the connection, the other is the helper's standard input and output */
} vmos_helper_t;

/* Start the first of the programs paths[0], paths[1], ..., NULL that can be executed, with
 * arguments argv, without LD_PRELOAD, LD_AUDIT and what begins with VM in its environment.  The
 * program does not see that it has a child.  Refused (EPERM) in set-user-ID programs. */
int vmos_helper_start(vmos_helper_t *h, const char *const *paths, char *const *argv);
/* Until the deadline (vmos_nanotime()): write all, 0 or -1; read some, their number, 0 at the end,
 * or -1. */
int vmos_helper_write(vmos_helper_t *h, const void *buf, size_t n, uint64_t deadline);
long vmos_helper_read(vmos_helper_t *h, void *buf, size_t n, uint64_t deadline);
/* No more input; it is waited for until the deadline, then killed. */
void vmos_helper_stop(vmos_helper_t *h, uint64_t deadline);

#endif
