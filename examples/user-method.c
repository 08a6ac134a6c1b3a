/* SPDX-License-Identifier: MIT */
/* A method of one's own: blocks lie one behind another in the newest segment, and are freed all at
 * once.  It works over every discipline, and vmclear(), vmclose() and the rest work over it. */
#include <stdio.h>
#include <string.h>
#include <vmalloc/method.h>

typedef struct bump { /* begins cleared, in the region's first segment */
    char *next, *end;
} bump_t;

static void *alloc(Vmalloc_t *vm, size_t size, int local)
{
    size_t n = (size / VM_ALIGN + 1) * VM_ALIGN; /* not beyond size: too much */
    int again = 0, got = VM_EXTRETRY;
    bump_t *b = vmmtstate(vm);
    char *oldend, *p = NULL;
    Vmseg_t *seg;

    if (!local)
        vmmtlock(vm);
    while (n > size && (size_t)(b->end - b->next) < n && got != VM_EXTFAIL) {
        got = vmmtextend(vm, n, n + 65536, &seg, &oldend, &again);
        if (got == VM_EXTNEW)
            b->next = seg->base;
        b->end = vmmtsegs(vm)->end;
    }
    if (n > size && got != VM_EXTFAIL) {
        p = b->next;
        b->next += n;
    }
    if (!local)
        vmmtunlock(vm);
    return p;
}

static void *resize(Vmalloc_t *vm, void *p, size_t size, int type, int local)
{
    if (p != NULL || (p = alloc(vm, size, local)) == NULL)
        return NULL; /* nothing is known of blocks that exist */
    return type & VM_RSZERO ? memset(p, 0, size) : p;
}

static void *noalign(Vmalloc_t *vm, size_t n, size_t a, int local)
{
    return (void)vm, (void)n, (void)a, (void)local, NULL;
}
static int nofree(Vmalloc_t *vm, void *p, int local) { return (void)vm, (void)local, p ? -1 : 0; }
static long unknown(Vmalloc_t *vm, void *p, int l) { return (void)vm, (void)p, (void)l, -1; }
static int nothing(Vmalloc_t *vm, int local) { return (void)vm, (void)local, 0; }

static int event(Vmalloc_t *vm, int type, void *arg)
{
    Vmseg_t *newest = vmmtsegs(vm);
    if (type == VM_METHOPEN || type == VM_METHCLEAR)
        *(bump_t *)vmmtstate(vm) = (bump_t){newest->base, newest->end};
    return (void)arg, 0;
}

static const Vmethodx_t more = {"bump", sizeof(bump_t), 64, event, NULL, NULL, NULL};
static Vmethod_t bump = {alloc, resize, nofree, unknown, unknown, nothing, noalign, 0, &more};

int main(void)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, &bump, 0);
    char *s = vmstrdup(vm, "a method"), *t = vmstrdup(vm, "of one's own");

    printf("%s %s, blocks %d bytes apart\n", s, t, (int)(t - s));
    return vmclose(vm);
}
