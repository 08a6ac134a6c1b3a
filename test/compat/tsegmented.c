/* SPDX-License-Identifier: MIT */
/* Four arrays apart from each other: all are used, and the end comes as NULL. */
#include "terror.h"

#define SIZE (1024 * 1024)
static char A0[SIZE], Gap0[3], A1[SIZE], Gap1[5], A2[SIZE], Gap2[7], A3[SIZE];
static char *Array[4] = {A0, A1, A2, A3};
static int Next;

static Void_t *memory(Vmalloc_t *vm, Void_t *caddr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    (void)vm;
    (void)caddr;
    (void)disc;
    if (csize != 0 || nsize > SIZE || Next == 4)
        return NIL(Void_t *);
    return Array[Next++];
}

static Vmdisc_t Disc = {memory, NIL(Vmexcept_f), SIZE};

static void segmented(Vmethod_t *meth)
{
    Vmalloc_t *vm;
    char *p;
    int n, seen[4] = {0, 0, 0, 0}, i;
    Next = 0;
    tcheck((vm = vmopen(&Disc, meth, 0)) != 0);
    for (n = 0; (p = (char *)vmalloc(vm, 1000)) != 0; ++n) {
        memset(p, n, 1000);
        for (i = 0; i < 4; ++i)
            if (p >= Array[i] && p + 1000 <= Array[i] + SIZE)
                seen[i]++;
    }
    tcheck(seen[0] + seen[1] + seen[2] + seen[3] == n);
    for (i = 0; i < 4; ++i)
        tcheck(seen[i] > 800);
    tcheck(vmalloc(vm, 1000) == 0);
    tcheck(vmclose(vm) == 0);
}

int main(void)
{
    Gap0[0] = Gap1[0] = Gap2[0] = 0;
    segmented(Vmbest);
    segmented(Vmlast);
    segmented(Vmpool);
    return 0;
}
