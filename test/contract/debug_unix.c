/* SPDX-License-Identifier: MIT */
#include "contract.h"

Vmethod_t *ct_debug(void)
{
    return Vmdebug;
}
