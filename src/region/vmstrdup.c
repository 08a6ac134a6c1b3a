/* SPDX-License-Identifier: MIT */
/*
 * vmstrdup: a copy of a string in a region.
 */
#include "parts.h"

#include <string.h>

char *vmstrdup(Vmalloc_t *vm, const char *s)
{
    size_t size;
    char *copy;

    if (s == NULL || vmr_live(vm) == NULL)
        return NULL;
    size = strlen(s) + 1;
    copy = vmalloc(vm, size);
    return copy != NULL ? memcpy(copy, s, size) : NULL;
}
