/* SPDX-License-Identifier: MIT */
/*
 * place: where in the program the running call of a thread was made (VMFL).
 *
 * It travels in variables of the thread and not in the handle, so threads that use one region do
 * not mix their places up.
 */
#include "parts.h"

static __thread vmr_place_t here;
__thread int vmr_inside;
__thread int vmr_hushed;
int vmr_told;

void vmr_setplace(const char *file, int line, const char *func)
{
    here.file = file;
    here.line = line;
    here.func = func;
}

vmr_place_t vmr_seeplace(void)
{
    return here;
}

vmr_place_t vmr_takeplace(void)
{
    vmr_place_t place = here;

    vmr_setplace(NULL, 0, NULL);
    return place;
}
