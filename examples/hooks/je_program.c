/* SPDX-License-Identifier: MIT */
/*
 * A program that was built for jemalloc with the prefix je_, in the manner of a cache server: its own
 * zmalloc() counts by usable size, which needs no header of its own in front of each block.
 */
#include "je.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define malloc(size) je_malloc(size)
#define free(block) je_free(block)
#define realloc(block, size) je_realloc(block, size)
#define zmalloc_size(block) je_malloc_usable_size(block)

static size_t used;

static void *zmalloc(size_t size)
{
    void *block = malloc(size);
    if (block == NULL)
        abort();
    used += zmalloc_size(block);
    return block;
}

static void *zrealloc(void *block, size_t size)
{
    used -= zmalloc_size(block);
    block = realloc(block, size);
    used += zmalloc_size(block);
    return block;
}

static void zfree(void *block)
{
    used -= zmalloc_size(block);
    free(block);
}

int main(void)
{
    char *key[1000], *page;
    size_t allocated, len = sizeof allocated;

    for (int i = 0; i < 1000; i++) {
        key[i] = zmalloc(16);
        snprintf(key[i], 16, "key:%d", i);
        key[i] = zrealloc(key[i], 100);
    }
    printf("%s, %s\n", key[999], used >= 100000 ? "counted" : "not counted");
    je_mallctl("epoch", NULL, NULL, &len, sizeof len);
    if (je_mallctl("stats.allocated", &allocated, &len, NULL, 0) != 0)
        return 1;
    printf("the allocator says so too: %s\n", allocated >= used ? "yes" : "no");
    page = je_mallocx(4096, MALLOCX_LG_ALIGN(12) | MALLOCX_ZERO | MALLOCX_TCACHE_NONE);
    printf("a page, aligned and cleared: %s\n",
           (size_t)page % 4096 == 0 && page[4095] == 0 ? "yes" : "no");
    je_dallocx(page, MALLOCX_TCACHE_NONE);
    for (int i = 0; i < 1000; i++)
        zfree(key[i]);
    printf("used after freeing: %zu\n", used);
    return je_calloc((size_t)-1, 16) != NULL;
}
