/* SPDX-License-Identifier: MIT */
/* Obstacks of the C library. */
#include <obstack.h>
#include <stdlib.h>

#define obstack_chunk_alloc malloc
#define obstack_chunk_free  free

#define R_SIZES  1
#define R_FREES  0
#define R_DROPS  1
#define R_SHARED 0

typedef struct obstack Region;

static inline Region *region_open(void)
{
    Region *r = malloc(sizeof(*r));

    if (r)
        obstack_init(r);
    return r;
}

static inline void region_drop(Region *r)
{
    obstack_free(r, NULL);
    free(r);
}

static inline void *region_alloc(Region *r, size_t size)
{
    return obstack_alloc(r, (int)size);
}

static inline void region_free(Region *r, void *p, size_t size)
{
    (void)r, (void)p, (void)size;
}

#include "pattern.h"
