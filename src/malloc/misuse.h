/* SPDX-License-Identifier: MIT */
/* misuse: the one exit for addresses given to the malloc interface that are no blocks. */
#ifndef VM_MALLOC_MISUSE_H
#define VM_MALLOC_MISUSE_H 1

/* Tell in a line what func(p) was given, and end the program unless option noabort is set.  errno
 * is kept. */
__attribute__((visibility("hidden"))) void vmma_misuse(const char *func, void *p);

#endif
