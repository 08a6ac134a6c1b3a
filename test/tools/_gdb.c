/* SPDX-License-Identifier: MIT */
/*
 * For gdb.sh: regions of each method with blocks in use and freed, and what the library says of them, in a file of
 * lines "HANDLE NAME BUSY SEGMENTS EXTENT" and "ADDRESS START SIZE USED".  Then it stops in ready().
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vmalloc.h>
#include <vmalloc/discipline.h>
#include <vmalloc/method.h>

enum { MANY = 60 };

static FILE *out;
static char buffer[16384];
Vmstat_t shown;
Vmalloc_t *first;

void ready(void);
__attribute__((noinline)) void ready(void) { __asm__ volatile("" ::: "memory"); }

static Void_t *own_memory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    return Vmdcsystem->memoryf(vm, addr, csize, nsize, disc);
}
static Vmdisc_t own = {own_memory, NULL, 0, sizeof own};

typedef struct freed {
    Vmalloc_t *vm;
    char *p;
} freed_t;

static void *freeing(void *arg)
{
    freed_t *f = arg;
    return vmfree(f->vm, f->p) == 0 ? f : NULL;
}

/* By another thread: the owner has not taken it back when this returns. */
static void free_elsewhere(Vmalloc_t *vm, char *p)
{
    freed_t f = {vm, p};
    void *done = NULL;
    pthread_t thread;

    if (pthread_create(&thread, NULL, freeing, &f) != 0 || pthread_join(thread, &done) != 0 || !done)
        exit(3);
}

/* Blocks, of which some are freed again; bytes in the middle of each are asked about. */
static void fill(Vmalloc_t *vm, const char *name, size_t least, size_t spread, int freed)
{
    char *p[MANY];

    vmname(vm, name);
    for (int i = 0; i < MANY; i++)
        if ((p[i] = vmalloc(vm, least + (size_t)i * (size_t)i % spread)) == NULL)
            exit(2);
    for (int i = 0; i < MANY; i++) {
        long size = vmsize(vm, p[i]);
        int used = !freed || i % 3 != 0;

        if (!used && i % 2 == 0)
            free_elsewhere(vm, p[i]);
        else if (!used)
            vmfree(vm, p[i]);
        fprintf(out, "block %p %p %ld %d\n", (void *)(p[i] + size / 2), (void *)p[i], size, used);
    }
}

/* When all are filled, for a region is in another. */
static void tell(Vmalloc_t *vm)
{
    Vmstat_t st;

    vmstat(vm, &st);
    fprintf(out, "region %p %s %zu %zu %zu\n", (void *)vm, st.name, st.s_busy, st.n_seg, st.extent);
}

/* What the program knows of blocks over another method. */
static __attribute__((noinline)) void over(Vmethod_t *upper, Vmethod_t *under, const char *name)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, vmover(upper, under), 0);
    char *p, *q;

    if (vm == NULL || (p = vmalloc(vm, 50)) == NULL || (q = vmalloc(vm, 50)) == NULL)
        exit(4);
    vmname(vm, name);
    fprintf(out, "over %p %p 50 used %d\n", (void *)(p + 7), (void *)p, upper == Vmdebug);
    if (upper != Vmdebug)
        return;
    vmfree(vm, q);
    fprintf(out, "over %p %p 50 freed 1\n", (void *)q, (void *)q);
}

int main(int argc, char **argv)
{
    Vmalloc_t *inner;
    char *late;

    out = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (out == NULL)
        return 1;
    fill(first = vmopen(Vmdcsystem, Vmbest, 0), "slabs", 10, 900, 1);
    fill(vmopen(&own, Vmbest, 0), "large", 40000, 300000, 1);
    fill(vmopen(vmdcfixedin(buffer, sizeof buffer), Vmbest, 0), "granules", 10, 90, 1);
    fill(vmopen(Vmdcheap, Vmlast, 0), "last", 10, 2000, 0);
    fill(vmopen(Vmdcsystem, Vmlast, 0), "big", 32000, 4000, 0);
    fill(vmopen(Vmdcheap, Vmpool, 0), "pool", 40, 1, 1);
    inner = vmopen(vmdcderive(first, 0, 0), Vmpool, 0);
    fill(inner, "inner", 24, 1, 1);
    over(Vmdebug, Vmlast, "over");
    over(Vmdebug, Vmbest, "over");
    over(Vmdebug, Vmpool, "over");
    over(Vmprofile, Vmbest, "over");
    over(Vmprofile, Vmpool, "over");
    vmstat(inner, &shown);
    for (Vmalloc_t *vm = Vmheap->next; vm != NULL; vm = vm->next)
        if (strcmp(vmname(vm, NULL), "over") != 0)
            tell(vm);
    /* vmstat() takes in what others have freed: once more after it. */
    late = vmalloc(first, 700);
    fprintf(out, "block %p %p %ld 0\n", (void *)late, (void *)late, vmsize(first, late));
    free_elsewhere(first, late);
    fclose(out);
    ready();
    return 0;
}
