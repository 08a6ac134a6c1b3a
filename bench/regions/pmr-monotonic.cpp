/* SPDX-License-Identifier: MIT */
/* std::pmr::monotonic_buffer_resource. */
#include <cstddef>
#include <memory_resource>

#define R_SIZES  1
#define R_FREES  0
#define R_DROPS  1
#define R_SHARED 0

struct Region {
    std::pmr::monotonic_buffer_resource resource; // not all of libstdc++ can delete one
};

static inline Region *region_open()
{
    return new Region();
}

static inline void region_drop(Region *r)
{
    delete r;
}

static inline void *region_alloc(Region *r, size_t size)
{
    return r->resource.allocate(size);
}

static inline void region_free(Region *r, void *p, size_t size)
{
    r->resource.deallocate(p, size);
}

#include "pattern.h"
