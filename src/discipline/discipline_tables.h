/* SPDX-License-Identifier: MIT */
/*
 * The standard disciplines, for the table of standard names (Vmdcsystem, Vmdcheap, vmr_traits[]).
 * The others are made by the functions of <vmalloc/discipline.h>.
 */
#ifndef VM_DISCIPLINE_TABLES_H
#define VM_DISCIPLINE_TABLES_H 1

#include <vmalloc.h>

/* Memory of the system: VM_DCZERO and VM_DCRESERVE hold for it. */
extern Vmdisc_t vmdc_system;
/* Its memoryf, by which copies are known, and Vmdiscmore_t.purgef for it. */
Void_t *vmdc_system_memoryf(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize,
                            Vmdisc_t *disc);
int vmdc_system_purge(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc);

/* Memory of Vmheap: VM_DCRESERVE holds, and its pages are the system's. */
extern Vmdisc_t vmdc_heap;
Void_t *vmdc_heap_memoryf(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc);

#endif
