/* SPDX-License-Identifier: MIT */
/*
 * place: numbers for stacks, with the place of VMFL in front when the call carried one:
 *
 *   | MARK | file | line | innermost ... outermost |
 */
#include "books.h"

#define MARK ((void *)(uintptr_t)1) /* no address of code */
#define HEAD 3
#define MOST (VMSK_DEPTH - HEAD)

/* The stack is where pcs + HEAD begins. */
static uint32_t intern(void **pcs, size_t n)
{
    vmr_place_t place = vmr_takeplace();
    if (place.file == NULL)
        return vmsk_intern(pcs + HEAD, n);
    pcs[0] = MARK;
    pcs[1] = (void *)(uintptr_t)place.file;
    pcs[2] = (void *)(uintptr_t)place.line;
    return vmsk_intern(pcs, n + HEAD);
}

VMOS_NOINLINE uint32_t vmdg_here(void)
{
    void *pcs[HEAD + MOST];
    size_t most = VMB_MIN(vmdg_options.depth, MOST);
    return vmdg_self.inside || most == 0 ? 0 : intern(pcs, vmsk_capture(pcs + HEAD, most, 0));
}

uint32_t vmdg_here_of(const void *context)
{
    void *pcs[HEAD + MOST];
    return intern(pcs, vmsk_capture_context(pcs + HEAD, MOST, context));
}

void *const *vmdg_stack(uint32_t stack, size_t *n, vmdg_place_t *place)
{
    void *const *pcs = vmsk_lookup(stack, n);
    place->file = NULL;
    place->line = 0;
    if (pcs == NULL || *n < HEAD || pcs[0] != MARK)
        return pcs;
    place->file = pcs[1];
    place->line = (int)(uintptr_t)pcs[2];
    *n -= HEAD;
    return pcs + HEAD;
}
