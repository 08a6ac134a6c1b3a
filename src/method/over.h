/* SPDX-License-Identifier: MIT */
/*
 * over: methods that work over another method, as Vmdebug and Vmprofile do.
 *
 *   method's state of a region     | the lower method's | the upper method's |
 *                                  vmmtstate(vm)        vmmt_upper(vm)
 *
 * To the region the two are one method, a vmmt_over_t.  The upper one's functions are what the
 * region calls; they call the lower one's through vmmt_under(vm), which finds its state where it
 * would be if it were alone.  The upper method passes all events on: VM_METHOPEN, VM_METHATTACH and VM_METHMOVE to
 * the lower one first, the others to it last, and fills vmmt_over_t.more.size by VMMT_OVERSIZE.
 */
#ifndef VM_METHOD_OVER_H
#define VM_METHOD_OVER_H 1

#include "region.h"

#define VMMT_OVERMAGIC 0x4f564552u /* "OVER" */

typedef struct vmmt_over {
    Vmethod_t meth;   /* for vmopen(); meth.more is &more */
    Vmethodx_t more;  /* first after meth: found from it */
    unsigned int magic;
    const Vmethod_t *under;
    size_t upper;     /* size of the upper method's own state */
    struct vmmt_over *next; /* of those that vmover() made */
} vmmt_over_t;

#define VMMT_OVERSIZE(undersize, uppersize) (VMB_UP((undersize), VM_ALIGN) + (uppersize))

VMOS_INLINE const vmmt_over_t *vmmt_overof(const Vmethodx_t *more)
{
    return (const vmmt_over_t *)(const void *)((const char *)more - offsetof(vmmt_over_t, more));
}
VMOS_INLINE const Vmethod_t *vmmt_under(const Vmalloc_t *vm)
{
    return vmmt_overof(vm->meth.more)->under;
}
/* Whether the region's method is one over another: its handle calls the upper one's functions, and the
 * lower one leaves them alone. */
VMOS_INLINE int vmmt_joined(const Vmalloc_t *vm)
{
    return (vm->meth.meth & (VM_MTDEBUG | VM_MTPROFILE)) != 0;
}
/* Whether the handle's functions are to stay as they are: others than the method's, or traced or told. */
VMOS_INLINE int vmmt_fixed(const Vmalloc_t *vm)
{
    return vmmt_joined(vm) || (vm->meth.meth & (VMR_TRACED | VMR_TOLD)) != 0;
}
/* At VM_METHOPEN, VM_METHATTACH and VM_METHMOVE, before the lower method hears of it: notes in the region which one that
 * is; -1 with EPROTO when it was another one that made the region. */
int vmmt_over_same(Vmalloc_t *vm, int event);
VMOS_INLINE void *vmmt_upper(Vmalloc_t *vm)
{
    return (char *)vmr_state(vm) + VMB_UP(vmmt_under(vm)->more->size, VM_ALIGN);
}

#endif
