/* SPDX-License-Identifier: MIT */
/* Out of memory: the handler prints statistics and leaves by longjmp. */
#include "terror.h"

#include <setjmp.h>

static jmp_buf Jump;
static size_t Left = 256 * 1024;

static Void_t *memory(Vmalloc_t *vm, Void_t *caddr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    Void_t *p;
    if (nsize > csize && nsize - csize > Left)
        return NIL(Void_t *);
    p = (*Vmdcheap->memoryf)(vm, caddr, csize, nsize, disc);
    if (p)
        Left -= nsize - csize;
    return p;
}

static int except(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    Vmstat_t st;
    char line[200];
    (void)obj;
    (void)disc;
    if (type != VM_NOMEM)
        return 0;
    tcheck(vmstat(vm, &st) == 0);
    sprintf(line, "vm: busy %lu, max busy %lu, max free %lu, extent %lu, segments %lu",
            (unsigned long)st.s_busy, (unsigned long)st.m_busy, (unsigned long)st.m_free,
            (unsigned long)st.extent, (unsigned long)st.n_seg);
    tcheck(st.s_busy > 0 && st.extent > st.s_busy && st.m_busy >= 1000);
    longjmp(Jump, 1);
    return -1;
}

static Vmdisc_t Disc = {memory, except, 4096};

int main(void)
{
    Vmalloc_t *volatile vm = vmopen(&Disc, Vmbest, 0);
    volatile int n = 0;
    tcheck(vm != 0);
    if (setjmp(Jump) == 0)
        for (;; ++n)
            tcheck(vmalloc(vm, 1000) != 0);
    tcheck(n > 100);
    vmclrlock(0);
    tcheck(vmlocked(vm) == 0);
    tcheck(vmdbcheck(vm) == 0);
    tcheck(vmclear(vm) == 0 && vmalloc(vm, 1000) != 0);
    tcheck(vmclose(vm) == 0);
    return 0;
}
