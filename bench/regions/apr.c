/* SPDX-License-Identifier: MIT */
/* Pools of the Apache Portable Runtime. */
#include <apr_general.h>
#include <apr_pools.h>

#define R_SIZES  1
#define R_FREES  0
#define R_DROPS  1
#define R_SHARED 0

typedef apr_pool_t Region;

static inline Region *region_open(void)
{
    static int ready;
    Region *r = NULL;

    if (!ready)
        ready = apr_initialize() == APR_SUCCESS;
    return apr_pool_create(&r, NULL) == APR_SUCCESS ? r : NULL;
}

static inline void region_drop(Region *r)
{
    apr_pool_destroy(r);
}

static inline void *region_alloc(Region *r, size_t size)
{
    return apr_palloc(r, size);
}

static inline void region_free(Region *r, void *p, size_t size)
{
    (void)r, (void)p, (void)size;
}

#include "pattern.h"
