/* SPDX-License-Identifier: MIT */
/*
 * Making, recognising and freeing the disciplines of <vmalloc/discipline.h>; see made.h.
 */
#include "made.h"
#include <errno.h>
#include <string.h>

#define MADE ((uintptr_t)0x6d616465u) /* "made" */

static uintptr_t seal(const vmdc_made_t *made)
{
    return (uintptr_t)made ^ MADE;
}

void vmdc_seal(vmdc_made_t *made, Vmalloc_t *home, size_t size, Vmemory_f memoryf)
{
    memset(made, 0, size);
    made->more.disc.memoryf = memoryf;
    made->more.disc.size = size;
    made->more.tag = VM_DCMORE;
    made->seal = seal(made);
    made->home = home;
}

void *vmdc_make(Vmalloc_t *home, size_t size, Vmemory_f memoryf)
{
    vmdc_made_t *made;

    vmr_inside++;
    made = home ? vmalloc(home, size) : NULL;
    vmr_inside--;
    if (made)
        vmdc_seal(made, home, size, memoryf);
    return made;
}

void *vmdc_made(Vmdisc_t *disc, Vmemory_f memoryf)
{
    vmdc_made_t *made = (vmdc_made_t *)disc;

    if (disc && vmr_likelysize(disc, sizeof *made) && vmr_discmore(disc) &&
        made->seal == seal(made) && (memoryf == NULL || disc->memoryf == memoryf))
        return made;
    errno = EINVAL;
    return NULL;
}

/* A home whose method cannot free the block (Vmlast) keeps it until it goes itself. */
int vmdcfree(Vmdisc_t *disc)
{
    vmdc_made_t *made = vmdc_made(disc, NULL);
    int saved = errno;

    if (made == NULL)
        return -1;
    made->seal = 0;
    vmr_inside++;
    if (made->home && vmfree(made->home, made) < 0)
        errno = saved;
    vmr_inside--;
    return 0;
}
