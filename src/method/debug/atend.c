/* SPDX-License-Identifier: MIT */
/*
 * atend: the last look at what is there when the process ends.
 */
#include "books.h"
#include "leaks.h"
#include "os_scan.h"

/* Programs that are delivered leave much behind on purpose; who works on one has its symbols. */
static int scanning(void)
{
    return vmdg_options.leaks < 0 ? vmos_stripped() != 1 : vmdg_options.leaks;
}

void vmdg_atend(void)
{
    vmdg_check_all(0, VMDG_ATEXIT);
    if (vmdg_options.structure)
        vmdbcheck(Vmregion);
    if (scanning())
        vmdg_leaks_atend();
}
