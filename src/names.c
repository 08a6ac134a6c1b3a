/* SPDX-License-Identifier: MIT */
/*
 * The standard names: where methods and disciplines meet the regions, which know neither.
 */
#include "checker.h"
#include "region.h"
#include "discipline_tables.h"
#include "method_tables.h"
#include "peek.h"

Vmethod_t *Vmbest = &vmmt_best;
Vmethod_t *Vmlast = &vmmt_last;
Vmethod_t *Vmpool = &vmmt_pool;

Vmdisc_t *Vmdcsystem = &vmdc_system;
Vmdisc_t *Vmdcsbrk = &vmdc_system;
Vmdisc_t *Vmdcheap = &vmdc_heap;

Vmdisc_t *const vmr_heapdisc = &vmdc_system;
Vmethod_t *const vmr_heapmeth = &vmmt_best;

/* The malloc interface goes past the handle of Vmheap; and a checker has a malloc() of its own. */
const vmr_checker_t *const vmr_checker = &vmck_checker;
#ifdef VM_LIBMALLOC
const int vmr_checkheap = 0;
#else
const int vmr_checkheap = 1;
#endif

const vmr_traits_t vmr_traits[] = {
    {vmdc_system_memoryf, VM_DCZERO | VM_DCRESERVE, vmdc_system_purge, "system"},
    {vmdc_heap_memoryf, VM_DCRESERVE, vmdc_system_purge, "heap"},
    {NULL, 0, NULL, NULL},
};

const unsigned int vmr_layout = VMPK_LAYOUT;
