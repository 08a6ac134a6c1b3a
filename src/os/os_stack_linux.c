/* SPDX-License-Identifier: MIT */
/*
 * What the walker of stacks must know of Linux: the words of a signal's context, whether memory
 * can be read, loaded modules.
 *
 * Frame of a signal handler, from the stack pointer up at the instruction it returns to:
 *
 *   x86-64    | ucontext | siginfo | ...
 *   aarch64   | siginfo: 128 bytes | ucontext | ...
 */
#define _GNU_SOURCE 1
#include "os_stack.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* ---- registers ---- */

#if defined(__x86_64__) && !defined(__ILP32__)

int vmos_regs_of_context(vmos_regs_t *r, const void *context)
{
    const greg_t *g = ((const ucontext_t *)context)->uc_mcontext.gregs;
    r->pc = (uintptr_t)g[REG_RIP];
    r->sp = (uintptr_t)g[REG_RSP];
    r->fp = (uintptr_t)g[REG_RBP];
    r->lr = 0;
    return 0;
}

uintptr_t vmos_signal_context(uintptr_t sp)
{
    return sp;
}

/* mov $15, %rax; syscall */
int vmos_is_sigreturn(uintptr_t pc)
{
    return memcmp((const void *)pc, "\x48\xc7\xc0\x0f\0\0\0\x0f\x05", 9) == 0;
}

#elif defined(__aarch64__) && !defined(__ILP32__)

int vmos_regs_of_context(vmos_regs_t *r, const void *context)
{
    const mcontext_t *m = &((const ucontext_t *)context)->uc_mcontext;
    r->pc = m->pc;
    r->sp = m->sp;
    r->fp = m->regs[29];
    r->lr = m->regs[30];
    return 0;
}

uintptr_t vmos_signal_context(uintptr_t sp)
{
    return sp + 128;
}

/* mov x8, #139; svc #0 */
int vmos_is_sigreturn(uintptr_t pc)
{
    return memcmp((const void *)pc, "\x68\x11\x80\xd2\x01\0\0\xd4", 8) == 0;
}

#else

int vmos_regs_of_context(vmos_regs_t *r, const void *context)
{
    (void)r;
    (void)context;
    return -1;
}

uintptr_t vmos_signal_context(uintptr_t sp)
{
    (void)sp;
    return 0;
}

int vmos_is_sigreturn(uintptr_t pc)
{
    (void)pc;
    return 0;
}

#endif

size_t vmos_context_size(void)
{
    return offsetof(ucontext_t, uc_mcontext) + sizeof(mcontext_t);
}

/* ---- memory ---- */

/* The call copies the set from addr before it finds that it does not know what to do with it, and
 * changes nothing.  The idea is that of Abseil's AddressIsReadable(). */
int vmos_readable(const void *addr)
{
    int keep = errno;
    uintptr_t word = (uintptr_t)addr & ~(uintptr_t)7;
    int yes = syscall(SYS_rt_sigprocmask, ~0, word, NULL, 8) == 0 || errno != EFAULT;
    errno = keep;
    return yes && word != 0;
}

extern void *__libc_stack_end __attribute__((weak));

/* Of the first thread: where the loader began.  Of the others: the C libraries of Linux put the
 * thread's descriptor at the top of its stack. */
uintptr_t vmos_stacktop(uintptr_t sp)
{
    uintptr_t self = vmos_self(), end = 0;
    if (&__libc_stack_end != NULL)
        end = (uintptr_t)__libc_stack_end;
    if (self > sp && (end <= sp || self < end))
        return self;
    return end > sp ? end : 0;
}

/* ---- modules ---- */

#ifdef DLFO_EH_SEGMENT_TYPE
#pragma weak _dl_find_object

int vmos_module_fast(void)
{
    return &_dl_find_object != NULL;
}

int vmos_module_at(uintptr_t addr, vmos_module_t *m)
{
    struct dl_find_object found;
    const ElfW(Ehdr) *head;
    if (!vmos_module_fast() || _dl_find_object((void *)addr, &found) != 0)
        return -1;
    memset(m, 0, sizeof(*m));
    m->path = found.dlfo_link_map->l_name != NULL ? found.dlfo_link_map->l_name : "";
    m->bias = found.dlfo_link_map->l_addr;
    m->low = (uintptr_t)found.dlfo_map_start;
    m->high = (uintptr_t)found.dlfo_map_end;
    m->unwind = found.dlfo_eh_frame;
    head = found.dlfo_map_start;
    if (vmos_readable(head) && memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
        head->e_phentsize == sizeof(ElfW(Phdr)) &&
        head->e_phoff + head->e_phnum * sizeof(ElfW(Phdr)) <= vmos_pagesize()) {
        m->phdr = (const char *)head + head->e_phoff;
        m->nphdr = head->e_phnum;
    }
    return 0;
}

#else

int vmos_module_fast(void)
{
    return 0;
}

int vmos_module_at(uintptr_t addr, vmos_module_t *m)
{
    (void)addr;
    (void)m;
    return -1;
}

#endif

typedef struct each {
    void (*f)(const vmos_module_t *m, void *arg);
    void *arg;
} each_t;

static int one(struct dl_phdr_info *info, size_t size, void *arg)
{
    const each_t *each = arg;
    vmos_module_t m = {info->dlpi_name, info->dlpi_addr, UINTPTR_MAX, 0,
                       info->dlpi_phdr, info->dlpi_phnum, NULL};
    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t at = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_LOAD && at < m.low)
            m.low = at & ~(uintptr_t)(vmos_pagesize() - 1);
        if (p->p_type == PT_LOAD && at + p->p_memsz > m.high)
            m.high = at + p->p_memsz;
        if (p->p_type == PT_GNU_EH_FRAME)
            m.unwind = (const void *)at;
    }
    if (m.path == NULL)
        m.path = "";
    if (m.low < m.high)
        each->f(&m, each->arg);
    return 0;
}

void vmos_module_each(void (*f)(const vmos_module_t *m, void *arg), void *arg)
{
    each_t each = {f, arg};
    dl_iterate_phdr(one, &each);
}
