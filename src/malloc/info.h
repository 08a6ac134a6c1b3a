/* SPDX-License-Identifier: MIT */
/*
 * info: the structures of mallinfo() and mallinfo2(), with the members in the order of the systems
 * that have these calls.
 */
#ifndef VM_MALLOC_INFO_H
#define VM_MALLOC_INFO_H 1

#include "malloc.h"

#include <stdio.h>

struct mallinfo {
    int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
struct mallinfo2 {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};

VM_API struct mallinfo mallinfo(void);
VM_API struct mallinfo2 mallinfo2(void);
VM_API int malloc_info(int options, FILE *stream);

#endif
