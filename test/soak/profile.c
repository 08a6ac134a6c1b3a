/* SPDX-License-Identifier: MIT */
/*
 * profile [STACKS [MIB]]: a profile of more distinct stacks than there is room for.
 *
 * 3 million stacks, each of 14 calls of which 11 differ, ask twice for memory in a profile that may
 * take 128 MiB: it must stay within that, however many there are, and its sums must be exact
 * whichever stacks were cut short or counted together.  Prints what it found; exits with 1 when
 * something is wrong.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vmalloc.h>
#include <vmalloc/profile.h>
#include <vmalloc/profile_format.h>

#define DEPTH 11 /* levels with four ways each: 4 Mi stacks */
#define SIZE 24
#define KEEP 64 /* one of so many blocks stays */

static Vmalloc_t *vm;
static size_t kept;

static __attribute__((noinline)) void *leaf(unsigned path)
{
    void *p = vmalloc(vm, SIZE);
    if (p == NULL)
        abort();
    memset(p, (int)path, SIZE);
    return p;
}

/* Texts that differ keep the compiler from making one call of four. */
static __attribute__((noinline)) void *level(unsigned depth, unsigned path)
{
    void *p;
    if (depth == 0)
        return leaf(path);
    switch (path & 3) {
    case 0: p = level(depth - 1, path >> 2); __asm__ volatile("nop /* 0 */"); break;
    case 1: p = level(depth - 1, path >> 2); __asm__ volatile("nop /* 1 */"); break;
    case 2: p = level(depth - 1, path >> 2); __asm__ volatile("nop /* 2 */"); break;
    default: p = level(depth - 1, path >> 2); __asm__ volatile("nop /* 3 */"); break;
    }
    return p;
}

static void all(unsigned stacks)
{
    for (unsigned i = 0; i < stacks; i++) {
        void *p = level(DEPTH, i);
        if (i % KEEP == 0)
            kept++;
        else
            vmfree(vm, p);
    }
}

/* Kilobytes of a line of /proc/self/status. */
static long status(const char *name)
{
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtol(line + strlen(name), NULL, 10);
    if (f != NULL)
        fclose(f);
    return kib;
}

typedef struct sums {
    uint64_t sites, calls, bytes, live, livebytes;
} sums_t;

static void add(sums_t *sum, const Vmpfsite_t *s)
{
    if (s->region == 0)
        return;
    sum->sites++;
    sum->calls += s->calls;
    sum->bytes += s->bytes;
    sum->live += s->calls - s->frees - s->rfrees;
    sum->livebytes += s->bytes - s->freed - s->rfreed;
}

/* All sites of a profile in memory. */
static sums_t sum_up(const char *profile, size_t size)
{
    sums_t sum = {0, 0, 0, 0, 0};
    Vmpfsection_t h = {.size = 1};
    for (size_t at = VMPF_UNIT; at + sizeof h <= size && h.size != 0; at += h.size) {
        memcpy(&h, profile + at, sizeof h);
        for (size_t i = 0; h.type == VMPF_SITES && (i + 1) * sizeof(Vmpfsite_t) <= h.used; i++)
            add(&sum, (const Vmpfsite_t *)(const void *)(profile + at + sizeof h) + i);
    }
    return sum;
}

static int expect(const char *what, uint64_t found, uint64_t wanted)
{
    if (found != wanted)
        printf("FAILED: %s: %llu, not %llu\n", what, (unsigned long long)found,
               (unsigned long long)wanted);
    return found != wanted;
}

/* A copy of the profile, in memory. */
static char *copy(size_t *size)
{
    FILE *f = tmpfile();
    char *bytes;
    if (f == NULL || vmprofilewrite(fileno(f)) != 0)
        abort();
    *size = (size_t)lseek(fileno(f), 0, SEEK_END);
    bytes = malloc(*size);
    if (bytes == NULL || pread(fileno(f), bytes, *size, 0) != (ssize_t)*size)
        abort();
    fclose(f);
    return bytes;
}

int main(int argc, char **argv)
{
    unsigned stacks = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 3000000;
    size_t mib = argc > 2 ? strtoul(argv[2], NULL, 10) : 128, size;
    long before = status("VmRSS:"), after, blocks;
    const Vmpfhead_t *head;
    char *profile;
    sums_t sum;
    int wrong;
    vmprofileset(VM_PFMEMORY, mib << 20);
    vm = vmopen(Vmdcsystem, Vmprofile, 0);
    if (vm == NULL)
        abort();
    all(stacks);
    all(stacks);
    after = status("VmRSS:");
    blocks = (long)(kept * 48 >> 10);
    profile = copy(&size);
    head = (const Vmpfhead_t *)(const void *)profile;
    sum = sum_up(profile, size);
    printf("%u stacks: %llu sites, profile %zu KiB, process %ld KiB more, blocks %ld KiB; "
           "%llu allocations without a site of their own\n",
           stacks, (unsigned long long)sum.sites, size >> 10, after - before, blocks,
           (unsigned long long)head->unplaced);
    wrong = expect("calls", sum.calls, 2ull * stacks) |
            expect("bytes", sum.bytes, 2ull * stacks * SIZE) | expect("live", sum.live, kept) |
            expect("live bytes", sum.livebytes, kept * SIZE) | expect("missed", head->missed, 0) |
            expect("damaged", head->damaged, 0);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    after = before; /* sanitizers have memory of their own */
#endif
    if (size > mib << 20 || after - before > (long)(mib << 10) + blocks + 8192) {
        printf("FAILED: more than %zu MiB\n", mib);
        wrong = 1;
    }
    free(profile);
    vmclose(vm);
    return wrong;
}
