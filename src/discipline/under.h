/* SPDX-License-Identifier: MIT */
/*
 * Disciplines that stack: asking the one below.
 *
 *   region -> log -> limit -> Vmdcsystem        log.more.under == limit, limit.more.under == ...
 *
 * The one below may be a bare Vmdisc_t of the user, a Vmdiscmore_t, or a standard one (or a copy of
 * it) that vmr_traits[] knows by its memoryf.  Each request and event passed on carries the one
 * below as its discipline, because a user's functions cast it to a structure of their own.
 */
#ifndef VM_DISCIPLINE_UNDER_H
#define VM_DISCIPLINE_UNDER_H 1

#include "made.h"

/* A cleared structure of size bytes in Vmheap for a discipline over `under`: requests go to
 * memoryf, the rest is passed on, and the properties are those of `under`.  NULL with errno, EINVAL
 * when `under` is NULL or has no memoryf. */
void *vmdc_stack(Vmdisc_t *under, size_t size, Vmemory_f memoryf);

/* Pass on what disc, made by vmdc_stack(), was asked. */
Void_t *vmdc_pass(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc);
int vmdc_passevent(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc);
int vmdc_passpurge(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc);

#endif
