/* SPDX-License-Identifier: MIT */
/* bench/share/work.h on a shared region in memory. */
#include <string.h>
#include <vmalloc/share.h>

static Vmalloc_t *vm;

static void attach(void)
{
    /* the child of a fork uses the region as a process of its own */
}

static char *take(size_t n)
{
    return vmalloc(vm, n);
}

static void drop(char *p)
{
    vmfree(vm, p);
}

#include "work.h"

int main(int argc, char **argv)
{
    Vmshare_t opt = {.flags = VM_SHMEMORY | VM_SHONCE, .size = 64 << 20};
    int r;

    vm = vmmshare("vmalloc.bench", &opt);
    if (vm == NULL) {
        fprintf(stderr, "vmalloc: %s\n", opt.why);
        return 1;
    }
    r = measure(argc, argv, memset(vmalloc(vm, SLOTS * sizeof(long)), 0, SLOTS * sizeof(long)));
    return vmclose(vm) != 0 ? 1 : r;
}
