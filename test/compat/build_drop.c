/* SPDX-License-Identifier: MIT */
/* What nine programs of ten do: a region on the heap, many vmnewof and vmstrdup, one vmclose. */
#include "terror.h"

typedef struct Entry_s {
    struct Entry_s *next;
    char *name;
    long count;
} Entry_t;

static void fill(Vmethod_t *meth)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, meth, 0);
    Entry_t *table[64], *e;
    char name[20];
    int i;
    tcheck(vm != 0);
    memset(table, 0, sizeof(table));
    for (i = 0; i < 5000; ++i) {
        sprintf(name, "entry%d", i);
        tcheck((e = vmnewof(vm, 0, Entry_t, 1, 0)) != 0);
        tcheck(e->next == 0 && e->name == 0 && e->count == 0);
        tcheck((e->name = vmstrdup(vm, name)) != 0);
        e->count = i;
        e->next = table[i % 64];
        table[i % 64] = e;
    }
    for (i = 0; i < 64; ++i)
        for (e = table[i]; e; e = e->next)
            tcheck(e->count % 64 == i && atoi(e->name + 5) == e->count);
    tcheck(vmclose(vm) == 0);
}

int main(void)
{
    int i;
    for (i = 0; i < 20; ++i) {
        fill(Vmbest);
        fill(Vmlast);
    }
    return 0;
}
