/* SPDX-License-Identifier: MIT */
/* Heaps of mimalloc. */
#include <mimalloc.h>

#define R_SIZES  1
#define R_FREES  1
#define R_DROPS  1
#define R_SHARED 0

typedef mi_heap_t Region;

static inline Region *region_open(void)
{
    return mi_heap_new();
}

static inline void region_drop(Region *r)
{
    mi_heap_destroy(r);
}

static inline void *region_alloc(Region *r, size_t size)
{
    return mi_heap_malloc(r, size);
}

static inline void region_free(Region *r, void *p, size_t size)
{
    (void)r, (void)size;
    mi_free(p);
}

#include "pattern.h"
