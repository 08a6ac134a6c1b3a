/* SPDX-License-Identifier: MIT */
/*
 * A discipline of one's own: memory of malloc(), of which 256 KiB are allowed, with events told.
 * Vmdisc_t comes first in the structure, so that both are the same pointer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <vmalloc.h>

typedef struct own {
    Vmdisc_t disc;
    size_t held, allowed;
} own_t;

static Void_t *memory(Vmalloc_t *vm, Void_t *seg, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    own_t *own = (own_t *)disc;

    (void)vm;
    if (nsize == 0) { /* take the segment back */
        own->held -= csize;
        free(seg);
        return seg;
    }
    if (csize > 0 || nsize > own->allowed - own->held)
        return NULL; /* segments stay as they are, and no more than is allowed */
    seg = malloc(nsize);
    if (seg)
        own->held += nsize;
    return seg;
}

static int event(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    (void)vm, (void)obj, (void)disc;
    if (type == VM_ENDOPEN)
        printf("the region is open\n");
    else if (type == VM_NOMEM)
        printf("there is no more memory\n");
    else if (type == VM_ENDCLOSE)
        printf("the region is closed\n");
    return 0;
}

int main(void)
{
    own_t own = {{memory, event, 4096, sizeof own}, 0, 256 * 1024};
    Vmalloc_t *vm = vmopen(&own.disc, Vmbest, 0);

    if (vm == NULL)
        return 1;
    printf("100 KiB: %s\n", vmalloc(vm, 100 * 1024) ? "yes" : "no");
    printf("200 KiB: %s\n", vmalloc(vm, 200 * 1024) ? "yes" : "no");
    vmclose(vm);
    printf("held: %zu\n", own.held);
    return 0;
}
