/* SPDX-License-Identifier: MIT */
/*
 * What is done with regions of each kind.  A contender is one source file, and one program, that
 * says what it can do, gives four functions, and includes this file, so that calls are inlined as
 * they would be in a program of its users.  It compiles as C and as C++.
 *
 *   R_SIZES   1: blocks of any size; 0: of one size, that of Node
 *   R_FREES   1: single blocks can be freed
 *   R_DROPS   1: dropping the region frees its blocks; 0: they must be freed one by one
 *   R_SHARED  1: several threads may use a region
 *
 *   Region *region_open(void);              void region_drop(Region *);
 *   void *region_alloc(Region *, size_t);   void region_free(Region *, void *, size_t);
 *
 * Prints "pattern figure" per line: ns per operation, for "empty" bytes per region.  Each figure
 * of time is the best of some runs.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TIMES = 9, LIVE = 5000, STEPS = 300000, OBJECTS = 1000, BUILDS = 300 };

#ifndef R_EMPTY
#define R_EMPTY 20000 /* empty regions at once */
#endif

typedef struct node {
    struct node *left, *right;
    uint64_t key, sum;
    char rest[32];
} Node;

static uint16_t size_at[4096]; /* sizes at random, mostly small */
static uint32_t slot_at[4096]; /* indices at random below LIVE */

static uint64_t random_step(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void make_tables(void)
{
    uint64_t state = 88172645463325252u;
    int i;

    for (i = 0; i < 4096; i++) {
        uint64_t r = random_step(&state);
        size_t limit = 32u << ((r >> 40) % 4);

        size_at[i] = (uint16_t)(8 + (r >> 8) % limit);
        slot_at[i] = (uint32_t)((r >> 20) % LIVE);
    }
}

/* One thread's time is that of the processor, which other work on the machine does not add to; with several
 * threads it is what has passed. */
static clockid_t watch = CLOCK_THREAD_CPUTIME_ID;

static double now(void)
{
    struct timespec t;

    clock_gettime(watch, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *checked(void *p)
{
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return p;
}

/* The compiler must not see through a region, and drop what is opened and closed. */
static Region *new_region(void)
{
    Region *r = (Region *)checked(region_open());

    __asm__ volatile("" : "+r"(r) : : "memory");
    return r;
}

static inline void *get(Region *r, size_t size)
{
    char *p = (char *)checked(region_alloc(r, size));

    *(volatile char *)p = 1;
    return p;
}

/* Nothing but allocation, of one size or many. */
static double allocate(void)
{
    Region *r = new_region();
    double began = now(), time;
    int i;

    for (i = 0; i < STEPS; i++)
        get(r, R_SIZES ? size_at[i & 4095] : sizeof(Node));
    time = now() - began;
    region_drop(r);
    return time / STEPS;
}

static void insert(Node **at, Node *n)
{
    while (*at)
        at = n->key < (*at)->key ? &(*at)->left : &(*at)->right;
    *at = n;
}

static uint64_t sum_of(const Node *n)
{
    return n ? n->key + sum_of(n->left) + sum_of(n->right) : 0;
}

static void free_tree(Region *r, Node *n)
{
    if (!n)
        return;
    free_tree(r, n->left);
    free_tree(r, n->right);
    region_free(r, n, sizeof(*n));
}

static uint64_t tree(int objects)
{
    Region *r = new_region();
    uint64_t state = 1234567, sum;
    Node *root = NULL;
    int i;

    for (i = 0; i < objects; i++) {
        Node *n = (Node *)get(r, sizeof(*n));

        n->left = n->right = NULL;
        n->key = random_step(&state);
        insert(&root, n);
    }
    sum = sum_of(root);
    if (!R_DROPS)
        free_tree(r, root);
    region_drop(r);
    return sum;
}

static volatile uint64_t sink;

/* The life of a region: opened, a tree built in it, walked, dropped. */
static double build_use_drop(void)
{
    double began = now();
    int i;

    for (i = 0; i < BUILDS; i++)
        sink = sink + tree(OBJECTS);
    return (now() - began) / BUILDS / OBJECTS;
}

static double open_close(void)
{
    double began = now();
    int i;

    for (i = 0; i < R_EMPTY; i++)
        region_drop(new_region());
    return (now() - began) / R_EMPTY;
}

static long resident(void)
{
    long size, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f || fscanf(f, "%ld %ld", &size, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static double empty_regions(void)
{
    static Region *all[R_EMPTY];
    long before;
    int i;

    memset(all, 1, sizeof(all));
    before = resident();
    for (i = 0; i < R_EMPTY; i++)
        all[i] = new_region();
    before = resident() - before;
    for (i = 0; i < R_EMPTY; i++)
        region_drop(all[i]);
    return (double)before / R_EMPTY;
}

#if R_FREES
typedef struct {
    Region *region;
    int sizes;
} Work;

/* A random live block is freed and another allocated. */
static void *replace(void *arg)
{
    Work *w = (Work *)arg;
    void **live = (void **)checked(calloc(LIVE, sizeof(*live)));
    uint16_t *size = (uint16_t *)checked(calloc(LIVE, sizeof(*size)));
    int i;

    for (i = 0; i < LIVE + STEPS; i++) {
        uint32_t at = i < LIVE ? (uint32_t)i : (slot_at[i & 4095] + (uint32_t)(i >> 12)) % LIVE;

        if (live[at])
            region_free(w->region, live[at], size[at]);
        size[at] = w->sizes ? size_at[i & 4095] : (uint16_t)sizeof(Node);
        live[at] = get(w->region, size[at]);
    }
    for (i = 0; i < LIVE; i++)
        region_free(w->region, live[i], size[i]);
    free(live);
    free(size);
    return NULL;
}

static double replace_in(int threads, int sizes)
{
    Work w = {new_region(), sizes};
    pthread_t thread[2];
    double began, time;
    int i;

    watch = threads > 1 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
    began = now();
    for (i = 1; i < threads; i++)
        if (pthread_create(&thread[i], NULL, replace, &w) != 0)
            exit(1);
    replace(&w);
    for (i = 1; i < threads; i++)
        pthread_join(thread[i], NULL);
    time = now() - began;
    watch = CLOCK_THREAD_CPUTIME_ID;
    region_drop(w.region);
    return time / (LIVE + STEPS);
}

static double nodes(void)
{
    return replace_in(1, 0);
}
#if R_SHARED
static double nodes_by_two(void)
{
    return replace_in(2, 0);
}
#endif
#if R_SIZES
static double mixed(void)
{
    return replace_in(1, 1);
}
#if R_SHARED
static double mixed_by_two(void)
{
    return replace_in(2, 1);
}
#endif
#endif
#endif

static void best_of(const char *name, double (*f)(void))
{
    double best = f(), time;
    int i;

    for (i = 1; i < TIMES; i++) {
        time = f();
        if (time < best)
            best = time;
    }
    printf("%s %.2f\n", name, best);
}

int main(void)
{
    make_tables();
    if (R_DROPS) {
        printf("empty %.0f\n", empty_regions());
        best_of("open", open_close);
        best_of(R_SIZES ? "alloc" : "alloc-nodes", allocate);
    }
    best_of("tree", build_use_drop);
#if R_FREES
    best_of("nodes", nodes);
#if R_SHARED
    best_of("nodes-2", nodes_by_two);
#endif
#if R_SIZES
    best_of("mixed", mixed);
#if R_SHARED
    best_of("mixed-2", mixed_by_two);
#endif
#endif
#endif
    return 0;
}
