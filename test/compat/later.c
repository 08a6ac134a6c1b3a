/* SPDX-License-Identifier: MIT */
/* Of the last version: structure tags without an underscore, a derived discipline, data of the user by
 * key, segments found and walked. */
#include "terror.h"

struct Vmalloc_s; /* as headers of that time declare it */

static int Segments;

static int count(struct Vmalloc_s *vm, Void_t *seg, size_t size, struct Vmdisc_s *disc, Void_t *handle)
{
    (void)vm, (void)seg, (void)disc, (void)handle;
    Segments += size > 0;
    return 0;
}

int main(void)
{
    struct Vmalloc_s *outer = vmopen(Vmdcsystem, Vmbest, VM_SHARE), *inner;
    struct Vmdisc_s *disc;
    Vmstat_t st;
    long *data;
    char *p;
    tcheck(outer != 0 && (disc = vmdcderive(outer, 8192, 0)) != 0);
    tcheck((inner = vmopen(disc, Vmlast, 0)) != 0);
    tcheck((data = (long *)vmuserdata(inner, 17, sizeof(long))) != 0 && *data == 0);
    *data = 42;
    tcheck(*(long *)vmuserdata(inner, 17, 0) == 42 && vmuserdata(inner, 18, 0) == 0);
    tcheck((p = (char *)vmalloc(inner, 100)) != 0);
    tcheck(vmregion(p) == inner && vmsegfind(inner, p) != 0 && vmsegfind(inner, &st) == 0);
    tcheck(vmsegwalk(inner, count, 0) == 0 && Segments > 0);
    tcheck(vmstat(inner, &st) == 0 && st.n_seg == (size_t)Segments && st.mesg[0] != 0);
    tcheck(vmclose(inner) == 0);
    vmclrlock(0);
    return vmclose(outer);
}
