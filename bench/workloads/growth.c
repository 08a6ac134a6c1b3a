/* SPDX-License-Identifier: MIT */
/*
 * Growth by realloc: strings that get a few bytes appended, many at a time so that none can
 * always grow in place; vectors that double; and a few buffers that grow in steps to 32 MiB.
 */
#include "work.h"

enum { STRINGS = 400, VECTORS = 200, STEP = 64 * 1024 };

static size_t strings(Random *r)
{
    char *text[STRINGS] = {NULL};
    size_t length[STRINGS] = {0}, total = 0, i;

    for (i = 0; i < STRINGS * 300; i++) {
        size_t at = random_in(r, 0, STRINGS), more = random_in(r, 1, 40);

        text[at] = must(realloc(text[at], length[at] + more));
        memset(text[at] + length[at], 'x', more);
        length[at] += more;
    }
    for (i = 0; i < STRINGS; i++) {
        total += length[i];
        free(text[i]);
    }
    return total;
}

static size_t vectors(Random *r)
{
    uint32_t *vector[VECTORS] = {NULL};
    size_t used[VECTORS] = {0}, room[VECTORS] = {0}, total = 0, i;

    for (i = 0; i < VECTORS * 2000; i++) {
        size_t at = random_in(r, 0, VECTORS);

        if (used[at] == room[at]) {
            room[at] = room[at] ? room[at] * 2 : 4;
            vector[at] = must(realloc(vector[at], room[at] * sizeof(**vector)));
        }
        vector[at][used[at]++] = (uint32_t)i;
    }
    for (i = 0; i < VECTORS; i++) {
        vector[i] = must(realloc(vector[i], used[i] * sizeof(**vector) + 1));
        total += used[i];
        free(vector[i]);
    }
    return total;
}

static size_t buffers(void)
{
    char *buffer[3] = {NULL};
    size_t size, i;

    for (size = STEP; size <= 32u << 20; size += STEP)
        for (i = 0; i < 3; i++) {
            buffer[i] = must(realloc(buffer[i], size));
            memset(buffer[i] + size - STEP, 1, STEP);
        }
    for (i = 0; i < 3; i++)
        free(buffer[i]);
    return size;
}

int main(int argc, char **argv)
{
    long rounds = scale_of(argc, argv, 1, 20);
    Random r = random_from(1);
    size_t total = 0;

    while (rounds-- > 0) {
        total += strings(&r) + vectors(&r);
        if (rounds % 4 == 0)
            total += buffers();
    }
    printf("%zu\n", total);
    return 0;
}
