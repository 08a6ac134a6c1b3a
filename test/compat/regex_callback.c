/* SPDX-License-Identifier: MIT */
/* A regular expression library takes its memory through a callback that is vmgetmem in disguise. */
#include "terror.h"

typedef Void_t *(*Resize_f)(Void_t *handle, Void_t *data, size_t size);

static struct {
    Void_t *handle;
    Resize_f resizef;
} Regalloc;

static void regalloc(Void_t *handle, Resize_f resizef)
{
    Regalloc.handle = handle;
    Regalloc.resizef = resizef;
}

int main(void)
{
    char *p, *q;
    int i;
    Void_t *vm = vmgetmem(0, 0, 0);
    tcheck(vm != 0);
    regalloc(vm, (Resize_f)vmgetmem);
    tcheck((p = (char *)(*Regalloc.resizef)(Regalloc.handle, 0, 50)) != 0);
    for (i = 0; i < 50; ++i)
        tcheck(p[i] == 0);
    memset(p, 7, 50);
    tcheck((q = (char *)(*Regalloc.resizef)(Regalloc.handle, p, 5000)) != 0);
    for (i = 0; i < 5000; ++i)
        tcheck(q[i] == (i < 50 ? 7 : 0));
    tcheck((*Regalloc.resizef)(Regalloc.handle, q, 0) == 0);
    tcheck((*Regalloc.resizef)(Regalloc.handle, 0, 0) == 0);
    return 0;
}
