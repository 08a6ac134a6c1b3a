/* SPDX-License-Identifier: MIT */
/* The walker in a program without shared libraries: exit status 0 when all is as it should be. */
#define _GNU_SOURCE 1
#include "walk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void *pcs[64];
static size_t n;

__attribute__((noinline)) static int compare(const void *a, const void *b)
{
    if (n == 0)
        n = vmsk_capture(pcs, 64, 0);
    return *(const int *)a - *(const int *)b;
}

static int in(const void *pc, uintptr_t function)
{
    vmos_module_t m;
    vmsk_fde_t fde;
    return vmsk_module_note(&m, (uintptr_t)pc - 1) == 0 &&
           vmsk_fde_find(&fde, &m, (uintptr_t)pc - 1) == 0 && fde.start == function;
}

int main(void);
__attribute__((noinline)) static size_t sort(void)
{
    int v[] = {3, 1, 2};
    size_t at = 0;
    n = 0;
    qsort(v, 3, sizeof(*v), compare);
    while (at < n && !in(pcs[at], (uintptr_t)sort))
        at++;
    return in(pcs[0], (uintptr_t)compare) && v[0] == 1 ? at : n;
}

static void *thread(void *arg)
{
    size_t at = sort();
    *(int *)arg = at == n || !in(pcs[at + 1], (uintptr_t)thread);
    return NULL;
}

/* Nobody walks through a libc without tables, as musl often is. */
static int tables(void)
{
    vmos_module_t m;
    vmsk_fde_t fde;
    uintptr_t at = (uintptr_t)qsort + 1;
    return vmsk_module_note(&m, at) == 0 && vmsk_fde_find(&fde, &m, at) == 0;
}

int main(void)
{
    const vmsk_module_t *m;
    uintptr_t offset;
    pthread_t t;
    int bad = 1;
    size_t at = sort();
    if (!tables())
        return 77;
    if (at == n || !in(pcs[at + 1], (uintptr_t)main))
        return 1;
    if (vmsk_place(pcs[0], &m, &offset) != 0 || strstr(m->path, "test_stack_static") == NULL)
        return 2;
    pthread_create(&t, NULL, thread, &bad);
    pthread_join(t, NULL);
    return bad ? 3 : 0;
}
