/* SPDX-License-Identifier: MIT */
/*
 * place: numbers for stacks, with the place of VMFL in front when the call carried one:
 *
 *   | MARK | file | line | innermost ... outermost |
 *
 * A thread that allocates much remembers stacks (again.c in the room of stacks): 200 KiB of addresses,
 * of which it touches what it uses.  A call without a place that comes again costs 8 ns.
 */
#include "books.h"

#define MARK ((void *)(uintptr_t)1) /* no address of code */
#define HEAD 3
#define MOST (VMSK_DEPTH - HEAD)
#define FEW 64 /* walks of a thread that has no memory to remember them */

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

/* ---- stacks that the thread was in before are known without a walk ---- */

/* Threads that make but a few calls need no memory for that. */
static VMOS_COLD vmsk_again_t *memo(vmdg_self_t *me)
{
    if (me->walks++ < FEW || me->ended)
        return NULL;
    me->walks = 0;
    me->again = vmos_map(NULL, VMB_UP(vmsk_again_size(), vmos_pagesize()), VMOS_RESERVE | VMOS_SMALL);
    return me->again;
}

void vmdg_here_leave(void)
{
    vmsk_again_t *t = vmdg_self.again;
    vmdg_self.ended = 1;
    vmdg_self.again = NULL;
    if (t != NULL)
        vmos_unmap(t, VMB_UP(vmsk_again_size(), vmos_pagesize()));
}

VMOS_NOINLINE uint32_t vmdg_here_walk(vmdg_self_t *me, const vmsk_here_t *here)
{
    void *pcs[HEAD + MOST];
    size_t most = VMB_MIN(vmdg_options.depth, MOST);
    size_t n = here != NULL ? vmsk_capture_near(me->again, here, pcs + HEAD, most) : 0;
    uint32_t stack;
    if (n == 0)
        n = here != NULL ? vmsk_capture_here(here, pcs + HEAD, most) : vmsk_capture(pcs + HEAD, most, 0);
    stack = intern(pcs, n);
    if (here != NULL && stack != 0)
        vmsk_remember(me->again, here, pcs + HEAD, n, stack);
    return stack;
}

/* A signal handler that comes while the thread looks here walks. */
static uint32_t unnoted(vmdg_self_t *me, uint64_t salt)
{
    if (VMOS_UNLIKELY(me->again == NULL && memo(me) == NULL) || VMOS_UNLIKELY(me->looking))
        return vmdg_here_walk(me, NULL);
    return vmdg_here_recall(me, salt);
}

VMOS_NOINLINE uint32_t vmdg_here_again(uint64_t salt)
{
    vmdg_self_t *me = &vmdg_self;
    if (VMOS_UNLIKELY(me->inside || vmdg_options.depth == 0))
        return 0;
    if (VMOS_UNLIKELY(vmr_seeplace().file != NULL))
        return vmdg_here_walk(me, NULL);
    return unnoted(me, salt);
}

VMOS_NOINLINE uint32_t vmdg_here(void)
{
    vmdg_self_t *me = &vmdg_self;
    return me->inside || vmdg_options.depth == 0 ? 0 : vmdg_here_walk(me, NULL);
}

uint32_t vmdg_here_of(const void *context)
{
    void *pcs[HEAD + MOST];
    return intern(pcs, vmsk_capture_context(pcs + HEAD, MOST, context));
}

uint32_t vmdg_here_jumped(const void *context)
{
    void *pcs[HEAD + MOST];
    return intern(pcs, vmsk_capture_jump(pcs + HEAD, MOST, context));
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
