/* SPDX-License-Identifier: MIT */
/*
 * KIND CRIME: commits errors in a region of a kind, each in a function of its own, or none.
 *
 *   KIND    best, last, pool; with 1 behind it: VM_SINGLE; with n: in a region in a region; with o: in a
 *           region on a discipline of the program, which takes blocks of another region
 *   CRIME   past, before, freed, cleared, released; all; none; good: much that is right, from several threads;
 *           holds: a region that is open at the end leads to memory of malloc(); loses: nothing does any more
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmalloc.h>

#define SIZE 10
#define MANY 1500

static Vmalloc_t *vm, *outer;
static volatile char seen;
static int last, pool;

/* ---- crimes ---- */

static __attribute__((noinline)) void past(char *p)
{
    p[SIZE] = 1;
}

static __attribute__((noinline)) void before(char *p)
{
    seen = p[-1];
}

static __attribute__((noinline)) void freed(char *p)
{
    vmfree(vm, p);
    seen = p[3];
}

static __attribute__((noinline)) void cleared(char *p)
{
    vmclear(vm);
    seen = p[SIZE - 1];
}

static __attribute__((noinline)) void released(void)
{
    void *mark = vmmark(vm);
    char *p = vmalloc(vm, SIZE);

    p[0] = 0;
    vmrelease(vm, mark);
    seen = p[0];
}

static char *fresh(void)
{
    char *p = vmalloc(vm, SIZE);

    if (p == NULL)
        exit(3);
    return memset(p, 0, SIZE);
}

static void commit(const char *crime)
{
    int all = strcmp(crime, "all") == 0;
    char *p;

    fresh();
    p = fresh();
    if (all || strcmp(crime, "past") == 0)
        past(p);
    if (all || strcmp(crime, "before") == 0)
        before(p);
    if (all || strcmp(crime, "freed") == 0)
        freed(fresh());
    if (last && (all || strcmp(crime, "released") == 0))
        released();
    if (all || strcmp(crime, "cleared") == 0) {
        fresh(); /* where the one that was freed had been */
        cleared(fresh());
    }
}

/* ---- what is right ---- */

static size_t sizeofblock(int i)
{
    return pool ? SIZE : 1 + (size_t)i * 37 % 3000;
}

static void expect(int truth)
{
    if (!truth)
        abort();
}

static void use(char **a, int n)
{
    int i;

    for (i = 0; i < n; i++) {
        size_t size = sizeofblock(i);
        a[i] = vmalloc(vm, size);
        expect(a[i] != NULL);
        memset(a[i], i, size);
        expect(vmsize(vm, a[i]) == (long)size && vmaddr(vm, a[i] + size - 1) == (long)size - 1);
    }
    for (i = 0; i < n && !pool; i += 3) {
        a[i] = vmresize(vm, a[i], 4000 + (size_t)i, VM_RSCOPY | VM_RSMOVE | VM_RSZERO);
        expect(a[i] != NULL && a[i][3999] == 0 && a[i][0] == (char)i);
    }
    for (i = 1; i < n && !pool; i += 9)
        expect(vmresize(vm, a[i], 1, 0) == a[i] || last);
    for (i = n - 1; i >= 0; i -= 2)
        vmfree(vm, a[i]);
}

static int visit(Vmalloc_t *of, void *addr, size_t size, int busy, void *sum)
{
    (void)of;
    if (busy && size > 0) {
        ((char *)addr)[size - 1] ^= 1;
        *(size_t *)sum += size;
    }
    return 0;
}

static void alone(void)
{
    char **a = malloc(MANY * sizeof *a), *p, *q;
    size_t sum = 0;
    int round, i;

    for (round = 0; round < 3; round++) {
        use(a, MANY);
        expect(vmcompact(vm) == 0 && vmdbcheck(vm) == 0);
        vmblkwalk(vm, visit, &sum);
        if (round == 1)
            vmclear(vm);
        if (last) {
            void *mark = vmmark(vm);
            for (i = 0; i < 500; i++)
                memset(vmalloc(vm, 100), i, 100);
            expect(vmrelease(vm, mark) == 0 && vmrelease(vm, mark) == 0);
        }
        p = pool ? NULL : vmuserdata(vm, (unsigned)round, SIZE); /* its size would be the pool's */
        if (p != NULL)
            memset(p, 1, SIZE);
        if (!pool) {
            p = vmstrdup(vm, "a string");
            q = vmalign(vm, 100, 256);
            expect(p != NULL && strlen(p) == 8 && q != NULL && (size_t)q % 256 == 0);
            memset(q, 0, 100);
            q = vmalloc(vm, 0);
            expect(q != NULL && vmresize(vm, NULL, 40, VM_RSZERO) != NULL);
        }
    }
    expect(sum > 0);
    free(a);
}

static void *another(void *arg)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char *box[64];
    unsigned i;

    for (i = 0; i < 2000; i++) {
        size_t size = pool ? SIZE : 1 + i % 200;
        char *p = vmalloc(vm, size), *other;
        memset(p, 1, size);
        pthread_mutex_lock(&lock);
        other = box[i % 64];
        box[i % 64] = p;
        pthread_mutex_unlock(&lock);
        if (other != NULL && !last) {
            other[0]++;
            vmfree(vm, other);
        }
    }
    return arg;
}

static void together(void)
{
    pthread_t t[3];
    size_t i;

    for (i = 0; i < sizeof t / sizeof *t; i++)
        expect(pthread_create(&t[i], NULL, another, NULL) == 0);
    for (i = 0; i < sizeof t / sizeof *t; i++)
        pthread_join(t[i], NULL);
}

static void forked(void)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        char *p = fresh();
        memset(p, 2, SIZE);
        vmfree(vm, p);
        _exit(0);
    }
    expect(waitpid(pid, &status, 0) == pid && status == 0);
}

/* ---- kinds ---- */

/* Segments are blocks that the program itself allocates. */
static void *blocks(Vmalloc_t *of, void *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    (void)of, (void)disc;
    if (csize == 0)
        return vmalloc(outer, nsize);
    if (nsize == 0)
        return vmfree(outer, addr) == 0 ? addr : NULL;
    return vmresize(outer, addr, nsize, 0);
}

static void openregion(const char *kind)
{
    static Vmdisc_t own = {blocks, NULL, 0, sizeof own};
    Vmdisc_t *disc = Vmdcsystem;

    last = kind[0] == 'l';
    pool = kind[0] == 'p';
    outer = vmopen(Vmdcheap, Vmbest, 0);
    if (kind[4] == 'n')
        disc = vmdcderive(outer, 0, 0);
    if (kind[4] == 'o')
        disc = &own;
    vm = vmopen(disc, last ? Vmlast : pool ? Vmpool : Vmbest, kind[4] == '1' ? VM_SINGLE : 0);
    expect(vm != NULL);
}

/* Memory of malloc() that only a block leads to, if that. */
static __attribute__((noinline)) void hold(int keep)
{
    static char **block;

    block = vmalloc(vm, SIZE * sizeof *block);
    expect(block != NULL);
    block[3] = malloc(100);
    expect(block[3] != NULL);
    if (!keep)
        block[3] = NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    openregion(argv[1]);
    if (strcmp(argv[2], "holds") == 0 || strcmp(argv[2], "loses") == 0) {
        hold(argv[2][0] == 'h');
        return 0;
    }
    if (strcmp(argv[2], "good") == 0) {
        alone();
        if (argv[1][4] != '1')
            together();
        forked();
    } else {
        commit(argv[2]);
    }
    return vmclose(vm) != 0 || vmclose(outer) != 0;
}
