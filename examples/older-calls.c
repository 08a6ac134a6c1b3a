/* SPDX-License-Identifier: MIT */
/*
 * Calls of the original that programs written today hardly need, in the manner of the programs
 * that do: memory by one function, memory that is not cleared, a handler that leaves by
 * longjmp(), the malloc interface's region.
 */
#include <setjmp.h>
#include <stdio.h>
#include <vmalloc.h>

static jmp_buf out;

static int give_up(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    (void)vm, (void)obj, (void)disc;
    if (type == VM_NOMEM)
        longjmp(out, 1);
    return 0;
}

static Void_t *no_more(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    if (nsize > csize + (1 << 20)) /* a segment that is there may be asked to grow, too */
        return NULL;
    return Vmdcsbrk->memoryf(vm, addr, csize, nsize, disc);
}

static void by_one_function(void)
{
    Vmalloc_t *vm = vmgetmem(NULL, NULL, 0); /* opens a region */
    char *p = vmgetmem(vm, NULL, 10), *q = vmgetmem(vm, p, 1000);

    printf("by one function: %s\n", q != NULL && q[999] == 0 ? "cleared" : "not cleared");
    vmgetmem(vm, NULL, 0); /* closes it */
}

static void left_by_a_jump(void)
{
    static Vmdisc_t disc = {no_more, give_up, 0, sizeof disc};
    Vmalloc_t *volatile vm = vmopen(&disc, Vmbest, 0);

    if (setjmp(out) == 0) {
        if (vmalloc(vm, 16 << 20) != NULL)
            printf("what?\n");
    } else {
        vmclrlock(0); /* in case the jump was out of a call that held a lock */
        printf("after a jump: %s\n", vmalloc(vm, 100) != NULL ? "usable" : "unusable");
    }
    vmclose(vm);
}

int main(void)
{
    long *numbers = vmoldof(Vmheap, NULL, long, 100, 0); /* as vmnewof(), but not cleared */

    by_one_function();
    left_by_a_jump();
    printf("malloc's region is Vmheap: %s\n", Vmregion == Vmheap ? "yes" : "no");
    return vmfree(Vmheap, numbers);
}
