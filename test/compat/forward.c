/* SPDX-License-Identifier: MIT */
/* Headers that name the structures before vmalloc.h is seen, by the tags of two generations. */
#include <stddef.h>
struct _vmalloc_s;
struct _vmdisc_s;
struct _vmstat_s;
struct _vmethod_s;
extern int users(struct _vmalloc_s *vm, struct _vmdisc_s *disc);

#include "terror.h"

struct Vmalloc_s;
struct Vmdisc_s;
extern int latest(struct Vmalloc_s *vm, struct Vmdisc_s *disc);

int users(struct _vmalloc_s *vm, struct _vmdisc_s *disc)
{
    return vm->disc == disc;
}

int latest(struct Vmalloc_s *vm, struct Vmdisc_s *disc)
{
    return users(vm, disc);
}

int main(void)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, 0);
    struct _vmstat_s st;
    tcheck(vm != 0 && users(vm, Vmdcheap) && latest(vm, Vmdcheap));
    tcheck(vmstat(vm, &st) == 0);
    tcheck(vmclose(vm) == 0);
    return 0;
}
