/* SPDX-License-Identifier: MIT */
/* Pages of a committed image that are not as they were committed: found before the image is opened, for
 * opening may fail with them; which blocks they touch is said afterwards. */
#include "image.h"
#include "tool.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct finding {
    const char *path;
    image_pages_t *pages;
    int quiet, show;
} finding_t;

static int found(const Vmimgpage_t *page, Void_t *handle)
{
    finding_t *f = handle;
    image_pages_t *p = f->pages;

    if (f->show)
        fprintf(stderr, "\r%3.0f %%", 100.0 * (double)page->done / (double)page->all);
    if (!page->wrong)
        return 0;
    if (p->n < IMAGE_PAGES) {
        p->page[p->n] = (image_page_t){page->addr, page->size, NULL, NULL, 0, 0};
        if (!f->quiet)
            printf("%s: the page at %p, %zu bytes at offset %zu of the file, is not what was committed\n",
                   f->path, page->addr, page->size, page->offset);
    }
    p->n++;
    return 0;
}

int image_sums(const char *path, image_pages_t *pages, int quiet)
{
    finding_t f = {path, pages, quiet, isatty(2)};
    char why[160];
    long n;

    pages->n = 0;
    n = vmimagecheck(path, found, &f);
    if (f.show)
        fprintf(stderr, "\r      \r");
    fflush(stdout); /* what comes next may end astray */
    if (n >= 0)
        return n == 0 ? IMAGE_SOUND : IMAGE_DAMAGED;
    n = image_status(errno);
    vmimagewhy(why, sizeof why);
    return tool_fail((int)n, "%s", why);
}

/* ---- whose they are ---- */

static int touch(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    image_pages_t *p = handle;
    uintptr_t from = (uintptr_t)addr, to = from + size;
    size_t i = 0, end = p->n < IMAGE_PAGES ? p->n : IMAGE_PAGES, last = end;

    (void)vm;
    while (i < last) { /* the first page that ends behind from */
        size_t mid = i + (last - i) / 2;

        if ((uintptr_t)p->page[mid].addr + p->page[mid].size <= from)
            i = mid + 1;
        else
            last = mid;
    }
    for (; busy && i < end && (uintptr_t)p->page[i].addr < to; i++) {
        image_page_t *page = &p->page[i];

        page->first = page->blocks == 0 || addr < page->first ? addr : page->first;
        page->last = page->blocks == 0 || addr > page->last ? addr : page->last;
        page->bytes = size;
        page->blocks++;
    }
    return 0;
}

static int byaddr(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const image_page_t *)a)->addr, y = (uintptr_t)((const image_page_t *)b)->addr;

    return x < y ? -1 : x > y;
}

void image_move_pages(const image_t *image, image_pages_t *pages)
{
    size_t i, by = (size_t)((char *)image->imgstat.base - (char *)image->imgstat.home);

    for (i = 0; i < pages->n && i < IMAGE_PAGES; i++)
        pages->page[i].addr = (void *)((uintptr_t)pages->page[i].addr + by);
}

void image_name_blocks(image_t *image, image_pages_t *pages)
{
    size_t i, n = pages->n < IMAGE_PAGES ? pages->n : IMAGE_PAGES;

    qsort(pages->page, n, sizeof(*pages->page), byaddr);
    image_walk(image, touch, pages);
    for (i = 0; i < pages->n && i < IMAGE_PAGES; i++) {
        const image_page_t *p = &pages->page[i];

        printf("%s: the page at %p ", image->path, p->addr);
        if (p->blocks == 0)
            printf("has no block: it is bookkeeping, or free\n");
        else if (p->blocks == 1)
            printf("has of blocks the one of %zu bytes at %p\n", p->bytes, p->first);
        else
            printf("has %zu blocks, from %p to %p\n", p->blocks, p->first, p->last);
    }
    if (pages->n > IMAGE_PAGES)
        printf("%s: and %zu pages more\n", image->path, pages->n - IMAGE_PAGES);
    fflush(stdout);
}
