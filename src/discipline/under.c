/* SPDX-License-Identifier: MIT */
/*
 * Disciplines that stack; see under.h.
 */
#include "under.h"
#include <errno.h>

static Vmdisc_t *below(Vmdisc_t *disc)
{
    return ((Vmdiscmore_t *)disc)->under;
}

/* The properties that a discipline tells itself, or the library knows of it. */
static void properties(const Vmdisc_t *disc, Vmdiscmore_t *to)
{
    const Vmdiscmore_t *more = vmr_discmore(disc);
    const vmr_traits_t *t;

    if (more != NULL) {
        to->flags = more->flags;
        to->align = more->align;
        to->purgef = more->purgef;
        to->name = more->name;
        return;
    }
    for (t = vmr_traits; t->memoryf; t++) {
        if (t->memoryf == disc->memoryf) {
            to->flags = t->flags;
            to->purgef = t->purgef;
            to->name = t->name;
        }
    }
}

void *vmdc_stack(Vmdisc_t *under, size_t size, Vmemory_f memoryf)
{
    Vmdiscmore_t *more;

    if (under == NULL || under->memoryf == NULL) {
        errno = EINVAL;
        return NULL;
    }
    more = vmdc_make(vmr_heap(), size, memoryf);
    if (more == NULL)
        return NULL;
    properties(under, more);
    more->disc.exceptf = vmdc_passevent;
    more->disc.round = under->round;
    more->under = under;
    if (more->purgef)
        more->purgef = vmdc_passpurge;
    return more;
}

Void_t *vmdc_pass(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    Vmdisc_t *under = below(disc);

    return (*under->memoryf)(vm, addr, csize, nsize, under);
}

int vmdc_passevent(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    Vmdisc_t *under = below(disc);

    return under->exceptf ? (*under->exceptf)(vm, type, obj, under) : 0;
}

int vmdc_passpurge(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc)
{
    Vmdiscmore_t now = {0};

    properties(below(disc), &now);
    return now.purgef ? (*now.purgef)(vm, addr, size, below(disc)) : -1;
}
