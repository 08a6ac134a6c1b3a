/* SPDX-License-Identifier: MIT */
/* A program that knows nothing of the package: 0 when its malloc() is that of libvmalloc-malloc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    void *(*vmregion)(void *), **heap = dlsym(RTLD_DEFAULT, "Vmheap");
    char *p = malloc(100), *q = strdup("text");
    int ours;

    *(void **)&vmregion = dlsym(RTLD_DEFAULT, "vmregion");
    ours = vmregion != NULL && heap != NULL && vmregion(p) == *heap && vmregion(q) == *heap;
    free(p);
    free(q);
    return !ours;
}
