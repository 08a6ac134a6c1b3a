/* SPDX-License-Identifier: MIT */
/*
 * Find the error: in a region of Vmdebug a block is written too far, another one freed twice, others are
 * lost.  Each is told on standard error, with stacks, source lines, and the bytes; here only the answers of
 * the calls are printed.  A whole program is debugged without changing it: vmalloc run --debug PROGRAM.
 */
#include <stdio.h>
#include <string.h>
#include <vmalloc.h>
#include <vmalloc/debug.h>

typedef struct node {
    struct node *next;
    char text[40];
} node_t;

static node_t *push(Vmalloc_t *vm, node_t *next)
{
    node_t *n = vmalloc(vm, sizeof(*n));
    n->next = next;
    return n;
}

/* A list whose head nobody keeps. */
static void forget(Vmalloc_t *vm)
{
    node_t *head = NULL;
    for (int i = 0; i < 100; i++)
        head = push(vm, head);
    printf("a list of %s nodes\n", head->next->next != NULL ? "many" : "few");
}

int main(void)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmdebug, 0);
    char *name, *copy;

    vmdebug(-1); /* no reports: without this line they go to standard error */
    name = vmalloc(vm, 5);
    printf("broken blocks: %d\n", vmdbcheck(vm));
    memcpy(name, "alpha", 6); /* the 0 at the end has no room */
    printf("broken blocks: %d\n", vmdbcheck(vm));

    copy = vmstrdup(vm, "beta");
    printf("freed: %d\n", vmfree(vm, copy));
    printf("freed again: %d\n", vmfree(vm, copy));

    forget(vm);
    printf("%s is lost\n", vmdbleaks(vm) > 0 ? "something" : "nothing");
    return vmclose(vm);
}
