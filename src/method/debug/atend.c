/* SPDX-License-Identifier: MIT */
/*
 * atend: the last look at what is there when the process ends.
 */
#include "books.h"

void vmdg_atend(void)
{
    vmdg_check_all(0, VMDG_ATEXIT);
    if (vmdg_options.structure)
        vmdbcheck(Vmregion);
}
