/* SPDX-License-Identifier: MIT */
/*
 * What a region can be asked: of a block, of an address, of its segments and blocks, of itself;
 * and what a program may leave with it to find again.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <vmalloc.h>
#include <vmalloc/method.h>
#include <vmalloc/stat.h>

enum { VISITS = 17 }; /* a key of one's own for vmuserdata() */

struct found {
    size_t busy, segments;
};

static int count_block(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    (void)vm, (void)addr, (void)size;
    ((struct found *)handle)->busy += busy != 0;
    return 0; /* -1 would end the walk */
}

static int count_segment(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc, Void_t *handle)
{
    (void)vm, (void)addr, (void)size, (void)disc;
    ((struct found *)handle)->segments++;
    return 0;
}

static void of_addresses(Vmalloc_t *vm)
{
    char *block = vmalloc(vm, 100);

    printf("a block of 100 bytes has %ld\n", vmsize(vm, block));
    printf("the address is %ld bytes in it\n", vmaddr(vm, block + 40));
    printf("its region is this one: %s\n", vmregion(block + 40) == vm ? "yes" : "no");
    printf("it lies in a segment: %s\n", vmsegfind(vm, block) != NULL ? "yes" : "no");
    vmfree(vm, block);
    printf("freed, it is a block: %s\n", vmaddr(vm, block) >= 0 ? "yes" : "no");
}

static void of_the_region(Vmalloc_t *vm)
{
    struct found found = {0, 0};
    int *visits = vmuserdata(vm, VISITS, sizeof *visits); /* cleared when it is new */

    *visits += 1;
    visits = vmuserdata(vm, VISITS, 0); /* only looks */
    printf("visits: %d\n", *visits);
    vmblkwalk(vm, count_block, &found);
    vmsegwalk(vm, count_segment, &found);
    printf("blocks in use: %s, segments: %s\n", found.busy > 0 ? "some" : "none",
           found.segments > 0 ? "some" : "none");
    printf("method: %s\n", vmset(vm, 0, 0) & VM_MTPOOL ? "Vmpool" : "another");
    printf("frees single blocks: %s\n",
           vmunder(&vm->meth)->meth & VM_MTLAST ? "the last one" : "any");
    printf("discipline: %s\n", vmdisc(vm, NULL) == Vmdcheap ? "Vmdcheap" : "another");
    printf("locked now: %d, open: %s\n", vmlocked(vm), vmdata(vm) != NULL ? "yes" : "no");
    printf("given back what is free: %s\n", vmcompact(vm) == 0 ? "yes" : "no");
}

int main(int argc, char **argv)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, 0);

    if (vm == NULL)
        return 1;
    of_addresses(vm);
    of_the_region(vm);
    fflush(stdout);
    if (argc > 1 && strcmp(argv[1], "json") == 0)
        vmstatjson(NULL, STDOUT_FILENO); /* of all regions, for other programs */
    return vmclose(vm);
}
