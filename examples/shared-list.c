/* SPDX-License-Identifier: MIT */
/*
 * A list that processes share, in memory that no file keeps: pointers in it are distances, so
 * that they would be right at any address.  A process dies with a block that it had linked to
 * nothing; another one finds it.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmalloc/discipline.h>
#include <vmalloc/share.h>

enum { LIST = 1 };

struct node {
    vmoff_t next;
    int value;
};

static struct node *push(Vmalloc_t *vm, int value)
{
    struct node *n = vmalloc(vm, sizeof *n), *old = vmmvalue(vm, LIST, NULL, VM_MMGET);

    n->value = value;
    VMOFF_SET(n->next, old);
    return vmmvalue(vm, LIST, n, VM_MMSET);
}

static int adopt(Vmalloc_t *vm, Void_t *addr, size_t size, Void_t *handle)
{
    if (size < 1000)
        return 0; /* a node: it is in the list */
    ++*(int *)handle;
    return vmfree(vm, addr) == 0; /* 1: it is nobody's any more */
}

static void die_with_a_block(Vmalloc_t *vm)
{
    push(vm, 4);
    if (vmalloc(vm, 1000) != NULL)
        kill(getpid(), SIGKILL);
    _exit(1);
}

/* The same region by the discipline and vmopen(), for methods and flags of one's own. */
static void by_its_discipline(void)
{
    Vmdisc_t *disc = vmdcshare("shared-list", getpid(), 1 << 20, -1);
    Vmalloc_t *vm = disc ? vmopen(disc, Vmbest, 0) : NULL;

    printf("by its discipline: %s\n", vm && vmstrdup(vm, "shared") ? "a block" : "nothing");
    printf("room for more: %s\n", vmmaddress(1 << 20) != NULL ? "yes" : "no");
    if (vm != NULL)
        vmclose(vm);
}

int main(void)
{
    Vmshare_t opt = {.flags = VM_SHMEMORY | VM_SHONCE, .size = 1 << 20};
    char name[40];
    Vmalloc_t *vm;
    Vmshstat_t st;
    int lost = 0;

    snprintf(name, sizeof name, "vm-shared-list-%d", (int)getpid());
    if ((vm = vmmshare(name, &opt)) == NULL)
        return puts(opt.why), 1;
    for (int i = 1; i <= 3; i++)
        push(vm, i);
    if (fork() == 0)
        die_with_a_block(vm);
    wait(NULL);
    for (struct node *n = vmmvalue(vm, LIST, NULL, VM_MMGET); n != NULL;
         n = VMOFF_GET(struct node, n->next))
        printf("%d ", n->value);
    printf("\n");
    vmmlost(vm, adopt, &lost);
    vmmshstat(vm, &st);
    printf("lost and found: %d; processes: %u\n", lost, st.nproc);
    by_its_discipline();
    return vmclose(vm);
}
