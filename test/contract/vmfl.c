/* SPDX-License-Identifier: MIT */
/* The same calls from a source that defines VMFL: they carry their place and do what they do. */
#define VMFL 1
#define _std_malloc 1
#include "contract.h"

static void calls(ct_t *t)
{
    char *p, *q;
    size_t n = ct_size(t, 40);
    ct_open(t);
    p = (char *)vmalloc(t->vm, n);
    CHECK(p != NULL);
    pat_fill(p, 0, n, 1);
    q = (char *)vmresize(t->vm, p, n, VM_RSCOPY);
    CHECK(q == p);
    ct_same(q, n, 1);
    CHECK(vmfree(t->vm, q) == 0);
    CHECK(vmfree(t->vm, NULL) == 0);
    FAILS(vmfree(t->vm, &p), -1, EINVAL);
    if (t->which != POOL) {
        q = (char *)vmalign(t->vm, 10, 64);
        CHECK(q != NULL && (uintptr_t)q % 64 == 0);
        q = vmstrdup(t->vm, "place");
        CHECK(q != NULL && strcmp(q, "place") == 0);
        q = vmnewof(t->vm, q, char, 100, 0);
        CHECK(q != NULL && strcmp(q, "place") == 0 && pat_notzero(q, 6, 100) == 100);
    }
    CHECK(t->vm->file == NULL && t->vm->line == 0);
    ct_close(t);
}

const ct_case_t vmfl_cases[] = {
    {"vmfl", calls, ALL, 0, 0},
    {NULL, NULL, 0, 0, 0},
};
