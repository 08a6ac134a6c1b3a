/* SPDX-License-Identifier: MIT */
/* 10: which line holds the memory? A region of Vmprofile knows, over any method. */
#define VMFL /* calls tell their file and line */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <vmalloc.h>
#include <vmalloc/method.h>
#include <vmalloc/profile.h>

struct entry {
    struct entry *next;
    char *name;
};

/* Remembers every name for ever: that is the leak. */
static struct entry *remember(Vmalloc_t *vm, struct entry *list, const char *name)
{
    struct entry *e = vmalloc(vm, sizeof *e);
    e->name = vmstrdup(vm, name);
    e->next = list;
    return e;
}

static void work(Vmalloc_t *vm, const char *name)
{
    char *copy = vmstrdup(vm, name);
    copy[0] = '-';
    vmfree(vm, copy);
}

int main(void)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmprofile, 0);
    Vmalloc_t *request = vmopen(Vmdcheap, vmover(Vmprofile, Vmlast), 0);
    struct entry *list = NULL;
    Vmstat_t st;

    if (vm == NULL || request == NULL)
        return 1;
    vmname(vm, "names");
    for (int i = 0; i < 1000; i++) {
        list = remember(vm, list, "a name");
        work(vm, "another name");
    }
    if (vmalloc(request, 100) == NULL || vmstat(vm, &st) != 0)
        return 1;
    printf("%zu blocks live in \"%s\"\n", st.n_busy, st.name);
    fflush(stdout);
    vmprofile(vm, 1); /* or vmprofilefile("names.vmprof"), and: vmalloc report names.vmprof */
    return vmclose(request) + vmclose(vm);
}
