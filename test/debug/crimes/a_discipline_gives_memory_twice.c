/* SPDX-License-Identifier: MIT */
/* both: the discipline gave memory twice */
#include "_crime.h"
#include <vmalloc.h>

static char memory[1 << 20] __attribute__((aligned(65536)));

static Void_t *same(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    (void)vm, (void)disc;
    if (nsize == 0)
        return addr;
    return csize == 0 && nsize <= sizeof memory ? memory : NULL;
}

void crime(int right)
{
    static Vmdisc_t disc = {same, NULL, 0, sizeof disc};
    Vmalloc_t *one = vmopen(&disc, Vmdebug, 0), *two = NULL;
    if (one == NULL || vmalloc(one, 100) == NULL)
        exit(1);
    if (right)
        vmclose(one);
    two = vmopen(&disc, Vmdebug, 0);
    if (two != NULL)
        vmalloc(two, 100);
}
