/* SPDX-License-Identifier: MIT */
/*
 * vmfl: what the calls become when a source is compiled with VMFL.
 *
 * The place is cleared after the call, as most methods take no notice of it.
 */
#include "parts.h"

Void_t *_vmflalloc(Vmalloc_t *vm, size_t size, const char *file, int line, const char *func)
{
    Void_t *addr;

    vmr_setplace(file, line, func);
    addr = vmalloc(vm, size);
    vmr_setplace(NULL, 0, NULL);
    return addr;
}

Void_t *_vmflalign(Vmalloc_t *vm, size_t size, size_t align, const char *file, int line,
                   const char *func)
{
    Void_t *addr;

    vmr_setplace(file, line, func);
    addr = vmalign(vm, size, align);
    vmr_setplace(NULL, 0, NULL);
    return addr;
}

Void_t *_vmflresize(Vmalloc_t *vm, Void_t *addr, size_t size, int type, const char *file, int line,
                    const char *func)
{
    vmr_setplace(file, line, func);
    addr = vmresize(vm, addr, size, type);
    vmr_setplace(NULL, 0, NULL);
    return addr;
}

int _vmflfree(Vmalloc_t *vm, Void_t *addr, const char *file, int line, const char *func)
{
    int r;

    vmr_setplace(file, line, func);
    r = vmfree(vm, addr);
    vmr_setplace(NULL, 0, NULL);
    return r;
}

char *_vmflstrdup(Vmalloc_t *vm, const char *s, const char *file, int line, const char *func)
{
    char *copy;

    vmr_setplace(file, line, func);
    copy = vmstrdup(vm, s);
    vmr_setplace(NULL, 0, NULL);
    return copy;
}

int _vmflhere(const char *file, int line, const char *func)
{
    vmr_setplace(file, line, func);
    return 0;
}
