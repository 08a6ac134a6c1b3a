/* SPDX-License-Identifier: MIT */
/*
 * The walker of stacks on a system of which only POSIX is known: frame pointers within memory that
 * can be read, which write() tells; no modules, no helper.
 */
#define _DEFAULT_SOURCE 1
#include "os_stack.h"

#include <errno.h>
#include <unistd.h>

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

size_t vmos_context_size(void)
{
    return 0;
}

int vmos_is_sigreturn(uintptr_t pc)
{
    (void)pc;
    return 0;
}

/* A pipe takes what it can read; the pages of a stack are few. */
size_t vmos_readable(uintptr_t addr, size_t size)
{
    uintptr_t page = vmos_pagesize(), at = addr & ~(page - 1), end = addr + size;
    int keep = errno, fd[2];
    char back;
    if (at == 0 || end < addr || pipe(fd) != 0)
        return 0;
    while (at < end && write(fd[1], (const void *)at, 1) == 1 && read(fd[0], &back, 1) == 1)
        at += page;
    close(fd[0]);
    close(fd[1]);
    errno = keep;
    return at <= addr ? 0 : (at < end ? at : end) - addr;
}

uintptr_t vmos_stacktop(uintptr_t sp)
{
    (void)sp;
    return 0;
}

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

void vmos_module_each(void (*f)(const vmos_module_t *m, void *arg), void *arg)
{
    (void)f;
    (void)arg;
}

void vmos_module_frames(vmos_module_t *m)
{
    (void)m;
}

void vmos_module_code(const vmos_module_t *m, uintptr_t *text, uintptr_t *etext)
{
    *text = m->low;
    *etext = m->high;
}

size_t vmos_module_id(const vmos_module_t *m, unsigned char *id, size_t size)
{
    (void)m;
    (void)id;
    (void)size;
    return 0;
}

size_t vmos_module_path(const vmos_module_t *m, char *buf, size_t size)
{
    (void)m;
    (void)size;
    buf[0] = '\0';
    return 0;
}

const char *vmos_module_soname(const vmos_module_t *m)
{
    (void)m;
    return NULL;
}

const char *vmos_symbol_at(const vmos_module_t *m, uintptr_t addr, uintptr_t *start)
{
    (void)m;
    (void)addr;
    (void)start;
    return NULL;
}

int vmos_helper_start(vmos_helper_t *h, const char *const *paths, char *const *argv)
{
    (void)h;
    (void)paths;
    (void)argv;
    errno = ENOSYS;
    return -1;
}

int vmos_helper_write(vmos_helper_t *h, const void *buf, size_t n, uint64_t deadline)
{
    (void)h;
    (void)buf;
    (void)n;
    (void)deadline;
    return -1;
}

long vmos_helper_read(vmos_helper_t *h, void *buf, size_t n, uint64_t deadline)
{
    (void)h;
    (void)buf;
    (void)n;
    (void)deadline;
    return -1;
}

void vmos_helper_stop(vmos_helper_t *h, uint64_t deadline)
{
    (void)h;
    (void)deadline;
}
