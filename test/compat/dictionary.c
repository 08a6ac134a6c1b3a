/* SPDX-License-Identifier: MIT */
/* A dictionary library gets all its memory by one function over vmresize with VM_RSMOVE alone; the user
 * says in the discipline which region, and forgets the contents when a table grows. */
#include "terror.h"

typedef struct Dtdisc_s Dtdisc_t;
typedef Void_t *(*Dtmemory_f)(Void_t *addr, size_t size, Dtdisc_t *disc);
struct Dtdisc_s {
    Dtmemory_f memoryf;
    Vmalloc_t *vm;
};

static Void_t *memory(Void_t *addr, size_t size, Dtdisc_t *disc)
{
    return vmresize(disc->vm, addr, size, VM_RSMOVE);
}

static int run(Vmethod_t *meth)
{
    Dtdisc_t disc;
    long *table = 0, *node[200];
    int i;
    disc.memoryf = memory;
    tcheck((disc.vm = vmopen(Vmdcheap, meth, 0)) != 0);
    for (i = 0; i < 200; ++i) {
        tcheck((node[i] = (long *)(*disc.memoryf)(0, 3 * sizeof(long), &disc)) != 0);
        node[i][0] = node[i][2] = i;
        if ((i & (i - 1)) == 0) {
            tcheck((table = (long *)(*disc.memoryf)(table, 2 * (i + 1) * sizeof(long), &disc)) != 0);
            memset(table, 0xff, 2 * (i + 1) * sizeof(long)); /* built anew */
        }
    }
    for (i = 0; i < 200; ++i)
        tcheck(node[i][0] == i && node[i][2] == i);
    for (i = 0; meth == Vmbest && i < 200; ++i)
        (*disc.memoryf)(node[i], 0, &disc);
    return vmclose(disc.vm);
}

int main(void)
{
    return run(Vmbest) | run(Vmlast);
}
