/* SPDX-License-Identifier: MIT */
/*
 * debugged: calls of the malloc interface on their way to Vmdebug, and the end of the process.
 */
#include "debugged.h"
#include "options.h"
#include "os_debug.h"

int vmma_debugging;
Vmalloc_t *vmma_sampler;

/* Malloc's region and its state, where small blocks of it go straight on; else NULL. */
static Vmalloc_t *front;
static const vmdg_t *state;

static VMOS_NOINLINE void *general(size_t size, size_t align, int zero, vmdg_family_t family)
{
    int e = errno;
    void *p = vmdg_make(Vmregion, size, align, zero, family, 0);
    if (VMOS_UNLIKELY(p == NULL))
        return vmma_nomemory();
    errno = e;
    return p;
}

void *vmma_debug_alloc(size_t size, size_t align, int zero, vmdg_family_t family)
{
    void *p = VMOS_LIKELY(Vmregion == front && align == 0)
                  ? vmdg_make_straight(front, state, size, zero, family)
                  : NULL;
    return vmdg_isblock(p) ? p : p == VMDG_TRIED ? NULL : general(size, align, zero, family);
}

int vmma_debug_owns(void *p)
{
    vmbe_run_t *run = vmb_map_get(p);
    vmbe_t *be = run != NULL ? vmbe_owner(run) : NULL;
    vmdg_block_t b;
    Vmalloc_t *vm;
    if (be != NULL && be->vm->meth.meth == VM_MTBEST)
        return 0;
    if (VMOS_LIKELY(vmdg_live(NULL, p) != 0) || vmdg_at(p, &b) == 0)
        return 1;
    vm = vmregion(p);
    return vm == NULL || vm->meth.meth == VM_MTDEBUG;
}

void vmma_debug_free(const char *call, vmdg_family_t family, void *p, size_t size, size_t align)
{
    vmdg_giving_t g = {call, family, size, align, VMDG_ATFREE};
    vmdg_give(NULL, p, &g, 0);
}

void *vmma_debug_realloc(void *p, size_t size)
{
    static const vmdg_giving_t g = {"realloc", VMDG_MALLOC, VMDG_NOSIZE, 0, VMDG_ATRESIZE};
    uint32_t id = vmdg_live(NULL, p);
    Vmalloc_t *vm = id != 0 ? vmdg_region_vm(vmdg_regionof(vmdg_desc(id))) : NULL;
    int e = errno;
    if (vm == NULL) {
        vmdg_give(NULL, p, &g, 0);
        errno = EINVAL;
        return NULL;
    }
    p = vmdg_remake(vm, p, size, VM_RSMOVE | VM_RSCOPY, 1, &g, 0);
    if (p == NULL)
        return vmma_nomemory();
    errno = e;
    return p;
}

/* ---- arguments that make no sense ---- */

static VMOS_COLD void tell(vmdg_kind_t kind, const char *call, size_t given, size_t wanted)
{
    vmdg_error_t e;
    vmdg_error_init(&e, kind, VMDG_ATALLOC, NULL);
    e.call = call;
    e.given = given;
    e.wanted = wanted;
    vmdg_tell(&e);
}

void *vmma_overflow(const char *call, size_t n, size_t size)
{
    vmma_region();
    if (vmma_debugging)
        tell(VMDG_OVERFLOW, call, n, size);
    return vmma_nomemory();
}

void vmma_badalign(const char *call, size_t align)
{
    vmma_region();
    if (vmma_debugging)
        tell(VMDG_BADALIGN, call, align, 0);
}

/* ---- beginning and end ---- */

/* After all that the program registered for its end. */
static void atend(int status)
{
    vmdg_atend();
    if (vmdg_errors() != 0 && vmdg_options.exitcode >= 0 && (status <= 0 || vmdg_options.force))
        vmos_exit(vmdg_options.exitcode);
}

/* A copy, unless messages go elsewhere: programs close descriptor 2 before they end. */
static void keepstderr(void)
{
    int fd = vmb_faultfd == 2 ? vmos_copyfd(2) : -1;
    if (fd >= 0)
        vmdebug(fd);
}

/* The first of the process: what is registered first comes last. */
Vmalloc_t *vmma_debug_open(Vmdisc_t *disc)
{
    Vmethod_t *under = vmma_options.method, *meth = Vmdebug;
    Vmalloc_t *vm;
    if (vmdg_options.level != VMDG_SAMPLE && under != NULL && under != Vmdebug)
        meth = vmover(Vmdebug, under);
    vm = meth != NULL ? vmopen(disc, meth, 0) : NULL;
    if (vm == NULL)
        return NULL;
    vmma_debugging = 1;
    if (vmdg_of(vm)->seats) {
        state = vmdg_of(vm);
        front = vm;
    }
    keepstderr();
    vmdg_fault_begin();
    vmos_onexit(atend);
    if (vmdg_options.level != VMDG_SAMPLE)
        return vm;
    vmname(vm, "sample");
    vmdg_of(vm)->always = 1;
    vmma_sampler = vm;
    return NULL;
}
