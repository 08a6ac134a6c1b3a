/* SPDX-License-Identifier: MIT */
#include "contract.h"

#include <vmalloc/method.h>

Vmethod_t *ct_debug(int which)
{
    if (which == BEST)
        return Vmdebug;
    return vmover(Vmdebug, which == LAST ? Vmlast : Vmpool);
}
