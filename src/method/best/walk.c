/* SPDX-License-Identifier: MIT */
/* walk: vmblkwalk() over a Vmbest region: areas of granules, then runs in order of address. */
#include "best.h"

static int slab_walk(vmbe_t *be, const vmbe_run_t *run, Vmblock_f f, void *handle)
{
    size_t size = vmbe_blocksize(run), i;
    int r = 0;
    for (i = 0; i <= run->last && r >= 0; i++) {
        uint64_t m = BE_LOAD(run->u.word[i >> 6]) | BE_LOAD(run->remote[i >> 6]);
        r = f(be->vm, run->base + i * size, size, !(m >> (i & 63) & 1), handle);
    }
    return r;
}

static int run_walk(vmbe_t *be, const vmbe_run_t *run, Vmblock_f f, void *handle)
{
    switch (run->kind) {
    case BE_SLAB:
        return slab_walk(be, run, f, handle);
    case BE_LARGE:
        return f(be->vm, run->base, vmbe_largesize(run), !BE_LOAD(run->kept), handle);
    case BE_FREE:
        return f(be->vm, run->base, vmbe_runbytes(run), 0, handle);
    default:
        return 0;
    }
}

int vmbe_walk(Vmalloc_t *vm, Vmblock_f f, void *handle)
{
    vmbe_t *be = vmbe_enter(vm);
    vmbe_small_t *s;
    vmbe_area_t *a;
    int r = 0;
    for (s = be->smalls; s && r >= 0; s = s->next)
        r = vmbe_small_walk(be, s, f, handle);
    for (a = be->areas; a && r >= 0; a = a->next) {
        char *p = a->first;
        while (p < a->last && r >= 0) {
            vmbe_run_t *run = vmbe_run_of(be, p);
            if (run == NULL)
                break;
            r = run_walk(be, run, f, handle);
            p = vmbe_run_page(run) + vmbe_runbytes(run);
        }
    }
    return r;
}
