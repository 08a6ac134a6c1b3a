/* SPDX-License-Identifier: MIT */
/* boost::pool. */
#include <boost/pool/pool.hpp>

#include <cstddef>

#define R_SIZES  0
#define R_FREES  1
#define R_DROPS  1
#define R_SHARED 0

typedef boost::pool<> Region;

static inline Region *region_open()
{
    return new Region(64);
}

static inline void region_drop(Region *r)
{
    delete r;
}

static inline void *region_alloc(Region *r, size_t)
{
    return r->malloc();
}

static inline void region_free(Region *r, void *p, size_t)
{
    r->free(p);
}

#include "pattern.h"

static_assert(sizeof(Node) == 64, "the size that the pool is made for");
