/* SPDX-License-Identifier: MIT */
/* A terminal library counts on zeroes from vmnewof, in blocks that others have used and in what a block
 * gains by growing, its extra bytes included. */
#include "terror.h"

static int cleared(const char *p, size_t from, size_t to)
{
    for (; from < to; ++from)
        if (p[from])
            return 0;
    return 1;
}

int main(void)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, 0);
    size_t n;
    char *p;
    tcheck(vm != 0);
    for (n = 1; n < 20000; n += n / 3 + 1) {
        tcheck((p = (char *)vmalloc(vm, 2 * n)) != 0);
        memset(p, 0xff, 2 * n);
        tcheck(vmfree(vm, p) == 0);
        tcheck((p = vmnewof(vm, 0, char, n, 7)) != 0);
        tcheck(cleared(p, 0, n + 7));
        memset(p, 0xff, n + 7);
        tcheck((p = vmnewof(vm, p, char, 2 * n, 9)) != 0);
        tcheck(p[0] == (char)0xff && p[n + 6] == (char)0xff);
        tcheck(cleared(p, n + 7, 2 * n + 9));
        tcheck(vmfree(vm, p) == 0);
    }
    tcheck(vmclose(vm) == 0);
    return 0;
}
