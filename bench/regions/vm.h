/* SPDX-License-Identifier: MIT */
/* A contender of ours: METHOD, FLAGS and what pattern.h wants to know come from the including file. */
#include <vmalloc.h>

typedef Vmalloc_t Region;

static inline Region *region_open(void)
{
    return vmopen(Vmdcheap, METHOD, FLAGS);
}

static inline void region_drop(Region *r)
{
    vmclose(r);
}

static inline void *region_alloc(Region *r, size_t size)
{
    return vmalloc(r, size);
}

static inline void region_free(Region *r, void *p, size_t size)
{
    (void)size;
    vmfree(r, p);
}

#include "pattern.h"
