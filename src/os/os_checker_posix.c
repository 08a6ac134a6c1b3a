/* SPDX-License-Identifier: MIT */
/*
 * os_checker: no checker is known here.
 */
#include "os_checker.h"

int vmos_checkers;

int vmos_checkers_find(void)
{
    return 0;
}

void vmos_checker_pool(const void *pool)
{
    (void)pool;
}

void vmos_checker_unpool(const void *pool)
{
    (void)pool;
}

void vmos_checker_alloc(const void *pool, const void *p, size_t size, size_t slot)
{
    (void)pool, (void)p, (void)size, (void)slot;
}

void vmos_checker_resize(const void *pool, const void *p, size_t old, size_t size, size_t slot)
{
    (void)pool, (void)p, (void)old, (void)size, (void)slot;
}

void vmos_checker_free(const void *pool, const void *p, size_t slot)
{
    (void)pool, (void)p, (void)slot;
}

void vmos_checker_plain(const void *p, size_t n, int defined)
{
    (void)p, (void)n, (void)defined;
}

void vmos_checker_atend(void (*f)(void))
{
    (void)f;
}

void vmos_checker_root(const void *p, size_t n)
{
    (void)p, (void)n;
}

void vmos_checker_hush(int hush)
{
    (void)hush;
}
