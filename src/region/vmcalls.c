/* SPDX-License-Identifier: MIT */
/*
 * vmcalls: the functions behind the macros of vmalloc.h, for those who take an address of one, or
 * call from another language.
 */
#include "parts.h"

#undef vmalloc
#undef vmalign
#undef vmresize
#undef vmfree
#undef vmaddr
#undef vmsize
#undef vmcompact

Void_t *vmalloc(Vmalloc_t *vm, size_t size)
{
    return vmr_live(vm) != NULL ? (*vm->meth.allocf)(vm, size, 0) : NULL;
}

Void_t *vmalign(Vmalloc_t *vm, size_t size, size_t align)
{
    return vmr_live(vm) != NULL ? (*vm->meth.alignf)(vm, size, align, 0) : NULL;
}

Void_t *vmresize(Vmalloc_t *vm, Void_t *addr, size_t size, int type)
{
    return vmr_live(vm) != NULL ? (*vm->meth.resizef)(vm, addr, size, type, 0) : NULL;
}

int vmfree(Vmalloc_t *vm, Void_t *addr)
{
    return vmr_live(vm) != NULL ? (*vm->meth.freef)(vm, addr, 0) : -1;
}

long vmaddr(Vmalloc_t *vm, Void_t *addr)
{
    return vmr_live(vm) != NULL ? (*vm->meth.addrf)(vm, addr, 0) : -1;
}

long vmsize(Vmalloc_t *vm, Void_t *addr)
{
    return vmr_live(vm) != NULL ? (*vm->meth.sizef)(vm, addr, 0) : -1;
}

int vmcompact(Vmalloc_t *vm)
{
    return vmr_live(vm) != NULL ? (*vm->meth.compactf)(vm, 0) : -1;
}

/* vmnewof() and vmoldof(): an array too large to exist asks for a size that no method grants. */
size_t _vmsizeof(size_t size, size_t n, size_t x)
{
    size_t total;

    if (vmb_mulover(size, n, &total) || vmb_addover(total, x, &total))
        return SIZE_MAX;
    return total;
}
