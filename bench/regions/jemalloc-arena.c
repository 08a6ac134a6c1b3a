/* SPDX-License-Identifier: MIT */
/* Arenas of jemalloc, each with a cache of its own. */
#include <jemalloc/jemalloc.h>
#include <stdio.h>
#include <stdlib.h>

#define R_SIZES  1
#define R_FREES  1
#define R_DROPS  1
#define R_SHARED 0
#define R_EMPTY  500 /* there can be 4095 */

typedef struct {
    unsigned arena, cache;
    int flags;
} Region;

static inline Region *region_open(void)
{
    Region *r = malloc(sizeof(*r));
    size_t size = sizeof(r->arena);

    if (!r || mallctl("arenas.create", &r->arena, &size, NULL, 0) != 0 ||
        mallctl("tcache.create", &r->cache, &size, NULL, 0) != 0)
        return NULL;
    r->flags = (int)(MALLOCX_ARENA(r->arena) | MALLOCX_TCACHE(r->cache));
    return r;
}

static inline void region_drop(Region *r)
{
    char name[40];

    mallctl("tcache.destroy", NULL, NULL, &r->cache, sizeof(r->cache));
    snprintf(name, sizeof(name), "arena.%u.destroy", r->arena);
    mallctl(name, NULL, NULL, NULL, 0);
    free(r);
}

static inline void *region_alloc(Region *r, size_t size)
{
    return mallocx(size, r->flags);
}

static inline void region_free(Region *r, void *p, size_t size)
{
    sdallocx(p, size, r->flags);
}

#include "pattern.h"
