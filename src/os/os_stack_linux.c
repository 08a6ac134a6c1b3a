/* SPDX-License-Identifier: MIT */
/*
 * What the walker of stacks must know of Linux: the words of a signal's context, whether memory
 * can be read, loaded modules.
 *
 * Frame of a signal handler, from the stack pointer up at the instruction it returns to:
 *
 *   x86-64    | ucontext | siginfo | ...
 *   aarch64   | siginfo: 128 bytes | ucontext | ...      riscv64: the same
 *   i386      | arguments: 12 bytes | siginfo: 128 bytes | ucontext | ...
 *   s390x     | for the handler: 160 bytes | code: 8 | siginfo: 128 | ucontext | ...
 */
#define _GNU_SOURCE 1
#include "os_stack.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* A word of code, which need not be aligned. */
typedef struct anywhere {
    uint64_t word;
} __attribute__((packed, may_alias)) anywhere_t;

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
VMOS_UNCHECKED int vmos_is_sigreturn(uintptr_t pc)
{
    const anywhere_t *code = (const anywhere_t *)pc;
    return code[0].word == 0x0f0000000fc0c748u && (code[1].word & 0xff) == 0x05;
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
VMOS_UNCHECKED int vmos_is_sigreturn(uintptr_t pc)
{
    return ((const anywhere_t *)pc)->word == 0xd4000001d2801168u;
}

#elif defined(__i386__)

/* Frames of handlers that take no context have another form, and none of these segments there. */
int vmos_regs_of_context(vmos_regs_t *r, const void *context)
{
    const greg_t *g = ((const ucontext_t *)context)->uc_mcontext.gregs;
    if ((g[REG_CS] & 0xffff) >> 8 != 0 || (g[REG_CS] & 3) != 3 || (g[REG_SS] & 3) != 3)
        return -1;
    r->pc = (uintptr_t)g[REG_EIP];
    r->sp = (uintptr_t)g[REG_ESP];
    r->fp = (uintptr_t)g[REG_EBP];
    r->lr = 0;
    return 0;
}

uintptr_t vmos_signal_context(uintptr_t sp)
{
    return sp + 12 + 128;
}

/* mov $173, %eax; int $0x80 */
VMOS_UNCHECKED int vmos_is_sigreturn(uintptr_t pc)
{
    return (((const anywhere_t *)pc)->word & 0xffffffffffffffu) == 0x80cd000000adb8u;
}

#elif defined(__riscv) && __riscv_xlen == 64

int vmos_regs_of_context(vmos_regs_t *r, const void *context)
{
    const unsigned long *g = ((const ucontext_t *)context)->uc_mcontext.__gregs;
    r->pc = g[0];
    r->lr = g[1];
    r->sp = g[2];
    r->fp = g[8];
    return 0;
}

uintptr_t vmos_signal_context(uintptr_t sp)
{
    return sp + 128;
}

/* li a7, 139; ecall */
VMOS_UNCHECKED int vmos_is_sigreturn(uintptr_t pc)
{
    return ((const anywhere_t *)pc)->word == 0x0000007308b00893u;
}

#elif defined(__s390x__)

int vmos_regs_of_context(vmos_regs_t *r, const void *context)
{
    const mcontext_t *m = &((const ucontext_t *)context)->uc_mcontext;
    r->pc = m->psw.addr;
    r->sp = m->gregs[15];
    r->fp = m->gregs[11];
    r->lr = m->gregs[14];
    return 0;
}

uintptr_t vmos_signal_context(uintptr_t sp)
{
    return sp + 160 + 8 + 128;
}

/* svc 173 */
VMOS_UNCHECKED int vmos_is_sigreturn(uintptr_t pc)
{
    return ((const anywhere_t *)pc)->word >> 48 == 0x0aad;
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

#define POPULATE_READ 22 /* MADV_POPULATE_READ, Linux 5.14 */

/* One page, for older systems: the call copies the set from addr before it finds that it does not
 * know what to do with it, and changes nothing.  The idea is that of Abseil's
 * AddressIsReadable(). */
static int page_readable(uintptr_t addr)
{
    return syscall(SYS_rt_sigprocmask, ~0, addr, NULL, 8) == 0 || errno != EFAULT;
}

/* Emulators take the advice for memory that is not there, such as the lowest page, and look at no set either. */
static int page_mapped(uintptr_t addr)
{
    unsigned char in;
    return syscall(SYS_mincore, addr, vmos_kernelpage(), &in) == 0;
}

static int advises(void)
{
    static signed char known;
    signed char is = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (is == 0) {
        size_t page = vmos_kernelpage();
        is = page_mapped(page) || syscall(SYS_madvise, page, page, POPULATE_READ) != 0 ? 1 : -1;
        __atomic_store_n(&known, is, __ATOMIC_RELAXED);
    }
    return is > 0;
}

static size_t readable_pages(uintptr_t from, uintptr_t end, int (*is)(uintptr_t addr))
{
    size_t page = vmos_kernelpage(), n = 0;
    while (from + n < end && is(from + n))
        n += page;
    return n;
}

static int page_advised(uintptr_t addr)
{
    return syscall(SYS_madvise, addr, vmos_kernelpage(), POPULATE_READ) == 0;
}

size_t vmos_readable(uintptr_t addr, size_t size)
{
    size_t page = vmos_kernelpage();
    uintptr_t from = addr & ~(uintptr_t)(page - 1), end = addr + size, at = from;
    int keep = errno;
    if (from == 0 || end < addr)
        return 0;
    if (!advises())
        at += readable_pages(from, end, page_mapped);
    else if (syscall(SYS_madvise, from, (end - from + page - 1) & ~(page - 1), POPULATE_READ) == 0)
        at = end;
    else
        at += readable_pages(from, end, errno != EINVAL && errno != ENOSYS && errno != EPERM ? page_advised
                                                                                          : page_readable);
    errno = keep;
    return at <= addr ? 0 : (at < end ? at : end) - addr;
}

extern void *__libc_stack_end __attribute__((weak));

/* Of the first thread: where the loader began; else, the name of the program, which the kernel puts there.  Of the
 * others: the C libraries of Linux put the thread's descriptor at the top of its stack. */
uintptr_t vmos_stacktop(uintptr_t sp)
{
    uintptr_t self = vmos_self(), end;
    end = &__libc_stack_end != NULL ? (uintptr_t)__libc_stack_end : getauxval(AT_EXECFN);
    if (self > sp && (end <= sp || self < end))
        return self;
    return end > sp ? end : 0;
}

/* ---- modules ---- */

void vmos_module_code(const vmos_module_t *m, uintptr_t *text, uintptr_t *etext)
{
    const ElfW(Phdr) *p = m->phdr;
    *text = m->phdr != NULL ? UINTPTR_MAX : m->low;
    *etext = m->phdr != NULL ? 0 : m->high;
    for (size_t i = 0; i < m->nphdr; i++) {
        uintptr_t at = m->bias + p[i].p_vaddr;
        if (p[i].p_type != PT_LOAD || !(p[i].p_flags & PF_X))
            continue;
        *text = at < *text ? at : *text;
        *etext = at + p[i].p_memsz > *etext ? at + p[i].p_memsz : *etext;
    }
    if (*text > *etext)
        *text = *etext = m->low;
}

/* The build-id among the notes of [at, at+size): | namesz | descsz | type | name | desc |. */
static size_t id_in_notes(uintptr_t at, size_t size, size_t align, unsigned char *id, size_t most)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;
        const char *name = (const char *)(note + 1);
        size_t named = (sizeof(*note) + note->n_namesz + align - 1) & ~(align - 1);
        size_t all = (named + note->n_descsz + align - 1) & ~(align - 1);
        if (named > size || all < named || named + note->n_descsz > size)
            return 0;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(name, "GNU", 4) == 0) {
            size_t n = note->n_descsz < most ? note->n_descsz : most;
            memcpy(id, (const char *)at + named, n);
            return n;
        }
        if (all > size)
            return 0;
        at += all;
        size -= all;
    }
    return 0;
}

size_t vmos_module_id(const vmos_module_t *m, unsigned char *id, size_t size)
{
    const ElfW(Phdr) *p = m->phdr;
    for (size_t i = 0; i < m->nphdr; i++) {
        uintptr_t at = m->bias + p[i].p_vaddr;
        size_t n;
        if (p[i].p_type != PT_NOTE || at < m->low || p[i].p_memsz > m->high - at)
            continue;
        n = id_in_notes(at, p[i].p_memsz, p[i].p_align == 8 ? 8 : 4, id, size);
        if (n > 0)
            return n;
    }
    return 0;
}

/* n bytes from a place in the file: 0, or -1. */
static int get(int fd, void *to, size_t n, size_t at)
{
    return pread(fd, to, n, (off_t)at) == (ssize_t)n ? 0 : -1;
}

/* The section headers of a file, up to that of .eh_frame. */
static void find_frames(vmos_module_t *m, int fd)
{
    ElfW(Ehdr) head;
    ElfW(Shdr) names, s;
    if (get(fd, &head, sizeof(head), 0) != 0 || head.e_shentsize != sizeof(s) ||
        get(fd, &names, sizeof(names), head.e_shoff + head.e_shstrndx * sizeof(s)) != 0)
        return;
    for (size_t i = 0; i < head.e_shnum && m->frames == NULL; i++) {
        char name[sizeof(".eh_frame")];
        if (get(fd, &s, sizeof(s), head.e_shoff + i * sizeof(s)) == 0 &&
            get(fd, name, sizeof(name), names.sh_offset + s.sh_name) == 0 &&
            memcmp(name, ".eh_frame", sizeof(name)) == 0 && m->bias + s.sh_addr >= m->low &&
            s.sh_size <= m->high - m->bias - s.sh_addr) {
            m->frames = (const void *)(m->bias + s.sh_addr);
            m->nframes = s.sh_size;
        }
    }
}

void vmos_module_frames(vmos_module_t *m)
{
    int keep = errno, fd;
    if (m->path[0] != '\0' || (fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)) < 0) {
        errno = keep;
        return;
    }
    find_frames(m, fd);
    close(fd);
    errno = keep;
}

static size_t copied(char *buf, size_t size, size_t at, const char *text)
{
    size_t n = strlen(text);
    if (at >= size || n > size - 1 - at)
        return at;
    memcpy(buf + at, text, n + 1);
    return at + n;
}

size_t vmos_module_path(const vmos_module_t *m, char *buf, size_t size)
{
    int keep = errno;
    size_t n = 0;
    buf[0] = '\0';
    if (m->low == getauxval(AT_SYSINFO_EHDR)) {
        n = copied(buf, size, 0, "[vdso]");
    } else if (m->path[0] == '\0') {
        long got = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", buf, size - 1);
        n = got > 0 ? (size_t)got : 0;
        buf[n] = '\0';
    } else {
        if (m->path[0] != '/' && syscall(SYS_getcwd, buf, size) > 0 && buf[0] == '/')
            n = copied(buf, size, strlen(buf), "/");
        n = copied(buf, size, n, m->path);
    }
    errno = keep;
    return n;
}

#ifdef DLFO_EH_SEGMENT_TYPE
#pragma weak _dl_find_object

/* In a static program the loader is a part of it and knows less than the program headers say. */
static int find_out(void)
{
    struct dl_find_object ours, loader;
    if (&_dl_find_object == NULL || _dl_find_object((void *)(uintptr_t)find_out, &ours) != 0)
        return 0;
    return _dl_find_object((void *)(uintptr_t)_dl_find_object, &loader) != 0 ||
           ours.dlfo_map_start != loader.dlfo_map_start;
}

int vmos_module_fast(void)
{
    static signed char known;
    signed char is = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (is == 0) {
        is = find_out() ? 1 : -1;
        __atomic_store_n(&known, is, __ATOMIC_RELAXED);
    }
    return is > 0;
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
    if (memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
        head->e_phentsize == sizeof(ElfW(Phdr)) &&
        head->e_phoff + head->e_phnum * sizeof(ElfW(Phdr)) <= vmos_kernelpage()) {
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
    vmos_module_t m = {.path = info->dlpi_name, .bias = info->dlpi_addr, .low = UINTPTR_MAX,
                       .phdr = info->dlpi_phdr, .nphdr = info->dlpi_phnum};
    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t at = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_LOAD && at < m.low)
            m.low = at & ~(uintptr_t)(vmos_kernelpage() - 1);
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
