/* SPDX-License-Identifier: MIT */
/* Large blocks cycled: twenty of 5 to 25 MiB live, a random one is freed and another allocated, and
 * a byte of each of its pages written.  Who gives pages back at each free pays for new ones. */
#include "work.h"

enum { SLOTS = 20, MIB = 1 << 20, PAGE = 4096 };

int main(int argc, char **argv)
{
    long i, rounds = scale_of(argc, argv, 1, 400);
    char *slot[SLOTS] = {NULL};
    Random r = random_from(1);
    uint64_t total = 0;

    for (i = 0; i < rounds; i++) {
        size_t at = random_in(&r, 0, SLOTS), size = random_in(&r, 5 * MIB, 25 * MIB), k;

        free(slot[at]);
        slot[at] = must(malloc(size));
        for (k = 0; k < size; k += PAGE)
            slot[at][k] = (char)k;
        total += size;
    }
    for (i = 0; i < SLOTS; i++)
        free(slot[i]);
    printf("%ld blocks, %llu MiB\n", rounds, (unsigned long long)(total / MIB));
    return 0;
}
