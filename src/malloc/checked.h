/* SPDX-License-Identifier: MIT */
/* checked: under Vmdebug, functions of libc whose ranges are looked up before they run. */
#ifndef VM_MALLOC_CHECKED_H
#define VM_MALLOC_CHECKED_H 1

/* Calls of the modules that are loaded go through the checks from now on. */
__attribute__((visibility("hidden"))) void vmma_checked_begin(void);

#endif
