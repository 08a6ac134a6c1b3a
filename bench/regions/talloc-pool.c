/* SPDX-License-Identifier: MIT */
/* Contexts of talloc inside a pool of 64 KiB. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <talloc.h>

#define R_SIZES  1
#define R_FREES  1
#define R_DROPS  1
#define R_SHARED 0

typedef TALLOC_CTX Region;

static inline Region *region_open(void)
{
    return talloc_pool(NULL, 64 * 1024);
}

static inline void region_drop(Region *r)
{
    talloc_free(r);
}

static inline void *region_alloc(Region *r, size_t size)
{
    return talloc_size(r, size);
}

static inline void region_free(Region *r, void *p, size_t size)
{
    (void)r, (void)size;
    talloc_free(p);
}

#include "pattern.h"
