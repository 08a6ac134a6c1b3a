/* SPDX-License-Identifier: MIT */
/*
 * vmregion: the region whose memory holds an address.  Any address may be asked: none is followed.
 */
#include "parts.h"

Vmalloc_t *vmregion(Void_t *addr)
{
    Vmalloc_t *vm = NULL;

    vmr_segof(addr, &vm);
    return vm;
}
