/* SPDX-License-Identifier: MIT */
/* both: leak: 1 block of 65536 bytes lost: nothing leads to it */
#include "_crime.h"

#define SIZE ((size_t)65536)

static char *kept;

/* As libraries of coroutines make stacks.  Who looks for pointers in blocks cannot read that page. */
void crime(int right)
{
    long page = sysconf(_SC_PAGESIZE);
    char *stack = (char *)hide(aligned_alloc((size_t)page, SIZE));
    mprotect(stack, (size_t)page, PROT_NONE);
    put(stack, SIZE - 1);
    kept = right ? stack : NULL;
}
