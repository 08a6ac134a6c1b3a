/* SPDX-License-Identifier: MIT */
/*
 * os_checker: the memory checkers that a program may run under, Valgrind's Memcheck and
 * AddressSanitizer (os_checker_linux.c; os_checker_posix.c has none).
 *
 * A block is [p, p+size), what the method gave for it [p, p+slot); what is behind the block is not to be
 * touched by the program.  A pool is Valgrind's word for what blocks are told of under, a key.
 * Everything here may be called when there is no checker and does nothing then.
 */
#ifndef VM_OS_CHECKER_H
#define VM_OS_CHECKER_H 1

#include "os.h"

#define VMOS_MEMCHECK 1
#define VMOS_ASAN 2

/* Bytes behind each block that its owner asks for, so that there is something not to be touched. */
#define VMOS_FENCE 16

/* Which ones there are, once vmos_checkers_find() has looked; 0 before. */
extern int vmos_checkers VMOS_HIDDEN;
int vmos_checkers_find(void);

void vmos_checker_pool(const void *pool);
void vmos_checker_unpool(const void *pool);
void vmos_checker_alloc(const void *pool, const void *p, size_t size, size_t slot);
/* The block was changed in place from old bytes to size. */
void vmos_checker_resize(const void *pool, const void *p, size_t old, size_t size, size_t slot);
void vmos_checker_free(const void *pool, const void *p, size_t slot);
/* Memory to be used by anybody, with contents that count (defined) or do not. */
void vmos_checker_plain(const void *p, size_t n, int defined);
/* What the calling thread does from here on is reported, or is not.  To be called in pairs. */
void vmos_checker_hush(int hush);

/* f is called when the process ends, before AddressSanitizer looks for leaks; once. */
void vmos_checker_atend(void (*f)(void));
/* What [p, p+n) leads to is not lost: to be called then. */
void vmos_checker_root(const void *p, size_t n);

/* The library takes [p, p+n) for itself, which may have been a block: before memset() and its like, which
 * AddressSanitizer looks at though the library was compiled without it. */
VMOS_INLINE void vmos_own(const void *p, size_t n)
{
    if (VMOS_UNLIKELY(__atomic_load_n(&vmos_checkers, __ATOMIC_RELAXED) != 0))
        vmos_checker_plain(p, n, 1);
}

#endif
