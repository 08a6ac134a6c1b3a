/* SPDX-License-Identifier: MIT */
/* Vmdebug is not built for Windows. */
#include "contract.h"

Vmethod_t *ct_debug(int which)
{
    (void)which;
    return NULL;
}
