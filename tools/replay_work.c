/* SPDX-License-Identifier: MIT */
/*
 * One run of a plan, in a process of its own: on the malloc that this process has, or on regions.
 *
 * What is measured is the time from the first call to the last, with all threads started before, and
 * by how much the process grew at most.  All that the run itself needs is mapped and touched before.
 * Blocks are touched, as programs do: each page at least; or filled and looked at (--check).
 */
#include "replay.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <vmalloc.h>
#include <vmalloc/discipline.h>

struct slot {
    char *p;       /* NULL: empty; GONE: there should be a block, but the call failed */
    uint64_t size; /* as asked for */
};
#define GONE ((char *)1)

struct work {
    const struct plan_head *plan;
    struct slot *slot;
    Vmalloc_t **vm; /* of each region; NULL: this is malloc */
    Vmdisc_t *disc;
    Vmethod_t *meth;
    int check;
    pthread_barrier_t meet;
};

struct worker {
    struct work *w;
    const struct plan_op *op, *end;
    uint64_t failed, corrupt, begin, done; /* clock at the ends */
    pthread_t id;
};

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- contents ---- */

/* What a byte of a block holds: bytes of different slots and sizes differ. */
static unsigned char mark(const struct slot *s, uint64_t size, size_t i)
{
    return (unsigned char)(((uintptr_t)s >> 4) * 31 + size * 7 + i);
}

static void touch(char *p, uint64_t size)
{
    uint64_t i;

    for (i = 0; i < size; i += 4096)
        p[i] = 1;
    if (size > 0)
        p[size - 1] = 1;
}

/* Let the block of a slot hold what it is known by. */
static void fill(const struct work *w, const struct slot *s, char *p)
{
    uint64_t i;

    if (!w->check) {
        touch(p, s->size);
        return;
    }
    for (i = 0; i < s->size; i++)
        ((unsigned char *)p)[i] = mark(s, s->size, i);
}

/* Whether the first n bytes at p are those of the slot's block when it had that size. */
static int holds(const struct work *w, const struct slot *s, const char *p, uint64_t size, uint64_t n)
{
    uint64_t i;

    for (i = 0; w->check && i < n; i++)
        if (((const unsigned char *)p)[i] != mark(s, size, i))
            return 0;
    return 1;
}

/* ---- slots ---- */

static char *wait_for(const struct slot *s)
{
    unsigned spins = 0;
    char *p;

    while ((p = __atomic_load_n(&s->p, __ATOMIC_ACQUIRE)) == NULL)
        if (++spins > 200)
            sched_yield();
    return p;
}

static void put(struct worker *k, struct slot *s, char *p, uint64_t size)
{
    s->size = size;
    if (p)
        fill(k->w, s, p);
    else
        k->failed++;
    __atomic_store_n(&s->p, p ? p : GONE, __ATOMIC_RELEASE);
}

/* The block of a slot, which is empty then; NULL: it was never had. */
static char *take(struct slot *s)
{
    char *p = wait_for(s);

    s->p = NULL;
    return p == GONE ? NULL : p;
}

/* ---- calls ---- */

static void *do_align(Vmalloc_t *vm, uint64_t size, uint32_t align)
{
    void *p = NULL;

    if (vm)
        return vmalign(vm, size ? size : 1, align ? align : 1);
    if (align < sizeof(void *) || (align & (align - 1)) != 0)
        return malloc(size);
    return posix_memalign(&p, align, size) == 0 ? p : NULL;
}

static void *do_alloc(Vmalloc_t *vm, uint64_t size)
{
    return vm ? vmalloc(vm, size) : malloc(size);
}

static void do_free(Vmalloc_t *vm, void *p)
{
    if (vm)
        vmfree(vm, p); /* fails in Vmlast, which is its way */
    else
        free(p);
}

static void *do_resize(Vmalloc_t *vm, void *p, uint64_t size)
{
    if (vm)
        return vmresize(vm, p, size, VM_RSMOVE | VM_RSCOPY);
    return realloc(p, size ? size : 1);
}

static void resize(struct worker *k, Vmalloc_t *vm, const struct plan_op *op)
{
    struct slot *from = &k->w->slot[op->slot], *to = &k->w->slot[op->to];
    char *old = take(from), *p;
    uint64_t size = from->size, least = size < op->size ? size : op->size;

    if (old && !holds(k->w, from, old, size, size))
        k->corrupt++;
    p = old ? do_resize(vm, old, op->size) : do_alloc(vm, op->size);
    if (p && old && !holds(k->w, from, p, size, least))
        k->corrupt++;
    if (!p && old) { /* as it was, with the size it has */
        k->failed++;
        put(k, to, old, size);
        return;
    }
    put(k, to, p, op->size);
}

static void release(struct worker *k, Vmalloc_t *vm, const struct plan_op *op)
{
    struct slot *s = &k->w->slot[op->slot];
    char *p = take(s);

    if (p && !holds(k->w, s, p, s->size, s->size))
        k->corrupt++;
    if (p && (op->kind == PLAN_FREE || !vm))
        do_free(vm, p);
}

static void life(struct work *w, const struct plan_op *op)
{
    Vmalloc_t **vm = w->vm ? &w->vm[op->region] : NULL;

    if (!vm)
        return;
    if (op->kind == PLAN_OPEN && !*vm)
        *vm = vmopen(w->disc, w->meth, 0);
    else if (op->kind == PLAN_CLEAR && *vm)
        vmclear(*vm);
    else if (op->kind == PLAN_CLOSE && *vm && vmclose(*vm) == 0)
        *vm = NULL;
    else if (op->kind == PLAN_COMPACT && *vm)
        vmcompact(*vm);
}

/* A region that was there before the trace began is opened by who first needs it. */
static Vmalloc_t *region(struct work *w, uint32_t i)
{
    static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
    Vmalloc_t *vm;

    if (!w->vm)
        return NULL;
    vm = __atomic_load_n(&w->vm[i], __ATOMIC_ACQUIRE);
    if (vm)
        return vm;
    pthread_mutex_lock(&opening);
    vm = w->vm[i];
    if (!vm)
        vm = vmopen(w->disc, w->meth, 0);
    __atomic_store_n(&w->vm[i], vm, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&opening);
    return vm;
}

static void step(struct worker *k, const struct plan_op *op)
{
    Vmalloc_t *vm = op->kind <= PLAN_DROP ? region(k->w, op->region) : NULL;

    if (op->kind <= PLAN_DROP && k->w->vm && !vm) {
        k->failed++;
        if (op->kind >= PLAN_RESIZE)
            take(&k->w->slot[op->slot]);
        if (op->kind <= PLAN_RESIZE)
            put(k, &k->w->slot[op->to], NULL, 0);
        return;
    }
    switch ((enum plan_kind)op->kind) {
    case PLAN_ALLOC:
        put(k, &k->w->slot[op->to], do_alloc(vm, op->size), op->size);
        break;
    case PLAN_ALIGN:
        put(k, &k->w->slot[op->to], do_align(vm, op->size, op->align), op->size);
        break;
    case PLAN_RESIZE:
        resize(k, vm, op);
        break;
    case PLAN_FREE:
    case PLAN_DROP:
        release(k, vm, op);
        break;
    case PLAN_MEET:
        pthread_barrier_wait(&k->w->meet);
        break;
    default:
        life(k->w, op);
    }
}

static void *work(void *arg)
{
    struct worker *k = arg;
    const struct plan_op *op;

    pthread_barrier_wait(&k->w->meet);
    k->begin = now();
    for (op = k->op; op < k->end; op++)
        step(k, op);
    k->done = now();
    return NULL;
}

/* ---- memory of the process ---- */

/* A line of /proc/self/status in bytes, 0: not told. */
static uint64_t status(const char *name)
{
    char line[256];
    unsigned long long kib = 0;
    size_t n = strlen(name);
    FILE *f = fopen("/proc/self/status", "r");

    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, name, n) == 0 && sscanf(line + n, ": %llu", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib * 1024;
}

static uint64_t peak(void)
{
    struct rusage u;
    uint64_t bytes = status("VmHWM");

    if (bytes == 0 && getrusage(RUSAGE_SELF, &u) == 0)
        bytes = (uint64_t)u.ru_maxrss * 1024;
    return bytes;
}

/* Let the peak begin anew. */
static uint64_t baseline(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");

    if (f) {
        fputs("5", f);
        fclose(f);
    }
    return peak();
}

/* ---- the run ---- */

static void *room(uint64_t n, size_t size)
{
    size_t bytes = (size_t)(n ? n : 1) * size;
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    memset(p, 0, bytes);
    return p;
}

static volatile uint64_t seen;

/* The plan is read from memory, not from disk, and counts before the run. */
static void warm(const struct plan_head *plan)
{
    const char *p = (const char *)plan, *end = (const char *)(plan_ops(plan) + plan->ops);

    for (; p < end; p += 4096)
        seen += (unsigned char)*p;
}

static Vmdisc_t *discipline(const char *name)
{
    if (strcmp(name, "heap") == 0)
        return Vmdcheap;
    if (strcmp(name, "huge") == 0)
        return vmdchuge(0, 1);
    if (strcmp(name, "guard") == 0)
        return vmdcguard();
    return strcmp(name, "system") == 0 ? Vmdcsystem : NULL;
}

static Vmethod_t *method(const char *name)
{
    if (strcmp(name, "last") == 0)
        return Vmlast;
    if (strcmp(name, "pool") == 0)
        return Vmpool;
    return strcmp(name, "best") == 0 ? Vmbest : NULL;
}

/* The library that was to be preloaded is there. */
static int loaded(const char *so)
{
    char line[8192], path[4096];
    int found = 0;
    FILE *f;

    if (!realpath(so, path))
        return 0;
    f = fopen("/proc/self/maps", "r");
    while (f && !found && fgets(line, sizeof(line), f))
        found = strstr(line, path) != NULL;
    if (f)
        fclose(f);
    return found;
}

static int prepare(struct work *w, const struct target *how, struct result *r)
{
    if (how->so[0] && !loaded(how->so)) {
        snprintf(r->why, sizeof(r->why), "cannot be loaded");
        return -1;
    }
    w->slot = room(w->plan->slots, sizeof(*w->slot));
    if (how->method[0]) {
        w->vm = room(w->plan->regions, sizeof(*w->vm));
        w->meth = method(how->method);
        w->disc = discipline(how->discipline);
    }
    if (!w->slot || (how->method[0] && (!w->vm || !w->disc || !w->meth))) {
        snprintf(r->why, sizeof(r->why), "cannot be set up here");
        return -1;
    }
    return 0;
}

static int start_all(struct worker *k, uint32_t n)
{
    uint32_t i;

    for (i = 1; i < n; i++)
        if (pthread_create(&k[i].id, NULL, work, &k[i]) != 0)
            return -1;
    return 0;
}

static void sum(const struct worker *k, uint32_t n, struct result *r)
{
    uint64_t begin = UINT64_MAX, done = 0;
    uint32_t i;

    for (i = 0; i < n; i++) {
        begin = k[i].begin < begin ? k[i].begin : begin;
        done = k[i].done > done ? k[i].done : done;
        r->failed += k[i].failed;
        r->corrupt += k[i].corrupt;
    }
    r->ns = done - begin;
}

static void run(struct work *w, struct worker *k, struct result *r)
{
    uint32_t i, n = w->plan->threads;
    uint64_t before;

    for (i = 0; i < n; i++) {
        k[i].w = w;
        k[i].op = plan_ops(w->plan) + plan_first(w->plan)[i];
        k[i].end = plan_ops(w->plan) + plan_first(w->plan)[i + 1];
    }
    pthread_barrier_init(&w->meet, NULL, n);
    if (start_all(k, n) != 0) {
        snprintf(r->why, sizeof(r->why), "no %u threads here: see --threads=1", n);
        _exit(0);
    }
    before = baseline();
    work(&k[0]);
    for (i = 1; i < n; i++)
        pthread_join(k[i].id, NULL);
    r->peak = peak();
    r->peak = r->peak > before ? r->peak - before : 0;
    sum(k, n, r);
    r->done = 1;
}

int replay_child(int planfd, int resultfd, const struct target *how, int check)
{
    struct result *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED, resultfd, 0);
    struct work w = {.plan = plan_map(planfd), .check = check};
    struct worker *k;

    if (r == MAP_FAILED || !w.plan)
        return 1;
    k = room(w.plan->threads, sizeof(*k));
    if (!k || prepare(&w, how, r) != 0)
        return 0;
    warm(w.plan);
    run(&w, k, r);
    return 0;
}
