/* SPDX-License-Identifier: MIT */
/*
 * Regions in regions: one session holds its requests; they go with it.
 *
 *   session (memory of the system)
 *     +-- first request   (a region whose segments are blocks of the session)
 *     +-- second request
 */
#include <stdio.h>
#include <vmalloc.h>

/* A region that takes its memory from parent, in pieces of 4 KiB. */
static Vmalloc_t *open_inside(Vmalloc_t *parent, const char *name)
{
    Vmdisc_t *dc = vmdcderive(parent, 4096, 0);
    Vmalloc_t *vm = dc ? vmopen(dc, Vmlast, 0) : NULL;

    if (vm)
        vmname(vm, name);
    return vm;
}

static int count_segment(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc, Void_t *handle)
{
    (void)vm, (void)addr, (void)size, (void)disc;
    ++*(int *)handle;
    return 0;
}

int main(void)
{
    Vmalloc_t *session = vmopen(Vmdcsystem, Vmbest, 0);
    Vmalloc_t *first = session ? open_inside(session, "first request") : NULL;
    Vmalloc_t *second = session ? open_inside(session, "second request") : NULL;
    char *word = second ? vmstrdup(second, "answer") : NULL;
    int segments = 0;

    if (first == NULL || word == NULL)
        return 1;
    vmwalk(second, count_segment, &segments);
    printf("\"%s\" lies in the %s, in %d segment\n", word, vmname(vmregion(word), NULL), segments);
    printf("that segment lies in the session: %s\n", vmsegment(session, word) ? "yes" : "no");

    vmclose(first); /* its segments are free blocks of the session again */
    vmclose(session); /* the second request goes with it; only its handle is left */
    printf("after the session: %s\n", vmalloc(second, 1) ? "a block" : "no more blocks");
    return vmclose(second); /* frees the handle */
}
