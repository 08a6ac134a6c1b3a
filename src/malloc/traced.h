/* SPDX-License-Identifier: MIT */
/* traced: begins the trace that the options ask for, with Vmheap open and Vmregion chosen. */
#ifndef VM_MALLOC_TRACED_H
#define VM_MALLOC_TRACED_H 1

__attribute__((visibility("hidden"))) void vmma_traced_begin(void);

#endif
