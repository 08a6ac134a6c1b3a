/* SPDX-License-Identifier: MIT */
/*
 * How the cost of malloc and free grows, for bench/curves; prints figures and no verdict.
 *
 *   live N       ns of a pair with N bytes live: a random block of 16 to 512 bytes is freed, one allocated
 *   threads N    the same in each of N threads with 64 KiB live: nanoseconds of processor time a pair
 *   age N        N pairs with 16 MiB live of all sizes up to 64 KiB: ten lines of live and resident MiB
 */
#include "work.h"

#include <unistd.h>

enum { PAIRS = 3000000, LINES = 10 };

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double churn(Random *r, size_t bytes)
{
    size_t n = bytes / 264 + 1, i, at;
    char **slot = must(malloc(n * sizeof(*slot)));
    double start;

    for (i = 0; i < n; i++)
        slot[i] = block(random_in(r, 16, 512));
    start = seconds();
    for (i = 0; i < PAIRS; i++) {
        at = random_in(r, 0, n);
        free(slot[at]);
        slot[at] = block(random_in(r, 16, 512));
    }
    start = (seconds() - start) / PAIRS * 1e9;
    for (i = 0; i < n; i++)
        free(slot[i]);
    free(slot);
    return start;
}

static void *thread_of(void *arg)
{
    double *ns = arg;
    Random r = random_from((uint64_t)(uintptr_t)arg);

    *ns = churn(&r, 64 * 1024);
    return NULL;
}

static void threads(long n)
{
    pthread_t *thread = must(malloc((size_t)n * sizeof(*thread)));
    double *ns = must(malloc((size_t)n * sizeof(*ns))), sum = 0;
    long i;

    for (i = 0; i < n; i++)
        thread[i] = thread_start(thread_of, &ns[i]);
    for (i = 0; i < n; i++) {
        pthread_join(thread[i], NULL);
        sum += ns[i];
    }
    printf("%ld %.2f\n", n, sum / (double)n);
}

static double resident(void)
{
    long size, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f || fscanf(f, "%ld %ld", &size, &pages) != 2)
        give_up("no /proc/self/statm");
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static void age(long pairs)
{
    enum { SLOTS = 100000 };
    static char *slot[SLOTS];
    static size_t size[SLOTS];
    const size_t most = (size_t)16 << 20;
    Random r = random_from(1);
    size_t live = 0;
    long i;

    for (i = 1; i <= pairs; i++) {
        size_t at = random_in(&r, 0, SLOTS), new = random_size(&r, 16, 11);

        free(slot[at]);
        live -= size[at];
        slot[at] = NULL;
        size[at] = 0;
        if (live + new <= most) {
            slot[at] = must(malloc(new));
            memset(slot[at], 1, new);
            live += size[at] = new;
        }
        if (i % (pairs / LINES) == 0)
            printf("%ld %.1f %.1f\n", i, (double)live / (1 << 20), resident());
    }
}

int main(int argc, char **argv)
{
    long n = scale_of(argc, argv, 2, 1000000);
    Random r = random_from(1);

    if (argc > 1 && strcmp(argv[1], "threads") == 0)
        threads(n);
    else if (argc > 1 && strcmp(argv[1], "age") == 0)
        age(n);
    else
        printf("%ld %.2f\n", n, churn(&r, (size_t)n));
    return 0;
}
