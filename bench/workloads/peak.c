/* SPDX-License-Identifier: MIT */
/*
 * Memory that peaks and then falls.  Blocks of mixed sizes up to a peak, all but one in a thousand
 * are freed, then work goes on with few.  Prints resident memory in MiB at the peak, right after the
 * frees, after more work, and after malloc_trim(): how much goes back, and when.
 */
#include "work.h"

#include <malloc.h>
#include <unistd.h>

enum { LIVE = 1000, STAYS = 1000 };

static long resident_mib(void)
{
    long size = 0, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f)
        return -1;
    if (fscanf(f, "%ld %ld", &size, &pages) != 2)
        pages = -1;
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024) / 1024;
}

static void work_on(Random *r, long steps)
{
    char *live[LIVE] = {NULL};
    long i;

    for (i = 0; i < steps; i++) {
        size_t at = random_in(r, 0, LIVE);

        free(live[at]);
        live[at] = block(random_size(r, 16, 8));
    }
    for (i = 0; i < LIVE; i++)
        free(live[i]);
}

int main(int argc, char **argv)
{
    size_t peak = (size_t)scale_of(argc, argv, 1, 512) << 20, total = 0, n = 0, i;
    size_t most = peak / 64;
    char **all = must(malloc(most * sizeof(*all)));
    long at_peak, after_free, after_work;
    Random r = random_from(1);

    while (total < peak && n < most) {
        size_t size = random_size(&r, 32, 12);

        all[n] = must(malloc(size));
        memset(all[n++], 1, size);
        total += size;
    }
    at_peak = resident_mib();
    for (i = 0; i < n; i++)
        if (i % STAYS != 0)
            free(all[i]);
    free(all);
    after_free = resident_mib();
    work_on(&r, scale_of(argc, argv, 2, 20000) * 1000);
    after_work = resident_mib();
    malloc_trim(0);
    printf("resident MiB: peak %ld, freed %ld, worked %ld, trimmed %ld\n", at_peak, after_free,
           after_work, resident_mib());
    return 0;
}
