/* SPDX-License-Identifier: MIT */
/*
 * peek: what is told of regions to other programs.  Sees the methods' states, as they are read from
 * outside of the process; see doc/design/peek.md.
 */
#ifndef VM_PEEK_H
#define VM_PEEK_H 1

#include "best.h"
#include "last.h"
#include "over.h"
#include "pool.h"
#include "region.h"
#include <vmalloc/stat.h>

/* Tells builds apart whose structures differ. */
#define VMPK_LAYOUT                                                                               \
    ((unsigned int)(sizeof(vmbe_t) + 31 * sizeof(vmbe_lane_t) + 961 * sizeof(vmla_t) +            \
                    29791 * sizeof(vmpo_t) + 923521 * sizeof(struct _vmdata_s) +                  \
                    7 * offsetof(vmbe_t, nlanes) + 11 * offsetof(vmbe_t, freepages) + 43 * offsetof(vmbe_run_t, remote) +             \
                    13 * offsetof(vmbe_lane_t, next) + 17 * sizeof(Vmethodx_t) +                  \
                    19 * sizeof(vmpo_place_t) + 23 * offsetof(vmla_t, used) +                     \
                    37 * offsetof(vmpo_t, navail) + 41 * sizeof(Vmalloc_t)))

/* How the other process is read. */
typedef struct vmpk_look {
    Vmread_f readf;
    Void_t *handle;
} vmpk_look_t;

VMOS_INLINE int vmpk_get(const vmpk_look_t *l, const void *addr, void *buf, size_t size)
{
    return addr == NULL ? -1 : (*l->readf)(addr, buf, size, l->handle);
}

/* What lists there are longer than this are none. */
#define VMPK_MANY 1000000

/* Blocks of a region with its state at addr there, by the method bits.  0; -1: cannot be told. */
int vmpk_blocks(const vmpk_look_t *l, const void *addr, unsigned int meth, Vmpeek_t *to);

#endif
