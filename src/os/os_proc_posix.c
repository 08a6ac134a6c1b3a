/* SPDX-License-Identifier: MIT */
/* What a Unix tells of its own process: nothing that could be had without allocation. */
#include "os.h"

size_t vmos_resident(void)
{
    return 0;
}

size_t vmos_arguments(char *to, size_t size)
{
    (void)to, (void)size;
    return 0;
}

size_t vmos_program(char *to, size_t size)
{
    (void)to, (void)size;
    return 0;
}
