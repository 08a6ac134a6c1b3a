/* SPDX-License-Identifier: MIT */
/*
 * image: what the parts of "vmalloc image" share: an open image of either kind, and ways to show it.
 */
#ifndef VMALLOC_TOOL_IMAGE_H
#define VMALLOC_TOOL_IMAGE_H 1

#include <vmalloc.h>
#include <vmalloc/image.h>
#include <vmalloc/share.h>

/* Exit statuses, for scripts. */
#define IMAGE_SOUND   0
#define IMAGE_DAMAGED 1
/* TOOL_USAGE: no image, or a command line that makes no sense; TOOL_CANNOT: it could not be opened */

/* A page that is not what was committed, and the blocks that have bytes in it. */
typedef struct image_page {
    void *addr;
    size_t size;
    void *first, *last; /* blocks */
    size_t bytes;       /* of one of them */
    size_t blocks;
} image_page_t;
enum { IMAGE_PAGES = 1000 };
typedef struct image_pages {
    size_t n; /* those behind the first IMAGE_PAGES are only counted */
    image_page_t page[IMAGE_PAGES];
} image_pages_t;

typedef struct image {
    const char *path;
    Vmalloc_t *vm;
    int shared;            /* a shared image, else a committed one */
    Vmimgopt_t committed;  /* how it was opened */
    Vmshare_t share;
    Vmimgstat_t imgstat;   /* of a committed one */
    Vmshstat_t shstat;     /* of a shared one */
    Vmstat_t stat;
    image_pages_t *pages;  /* that are wrong; NULL: it has no sums, or they are not wanted */
} image_t;

/* Open path, to be read only or not, and take its figures.  0, or the exit status after a message. */
int image_open(image_t *image, const char *path, unsigned flags);
int image_close(image_t *image);
/* The exit status for an errno of opening. */
int image_status(int e);
/* Look at the sums of all pages of a committed image; the exit status.  What is wrong is said, unless quiet. */
int image_sums(const char *path, image_pages_t *pages, int quiet);
/* The pages are where the image lies now, which may not be where its file says. */
void image_move_pages(const image_t *image, image_pages_t *pages);
/* Say which blocks the pages touch. */
void image_name_blocks(image_t *image, image_pages_t *pages);
/* Take the figures anew. */
int image_figures(image_t *image);

/* Blocks that a walk came by. */
typedef struct image_count {
    size_t blocks, bytes;
} image_count_t;
/* Walk all blocks, showing progress on a terminal. */
void image_walk(image_t *image, Vmblock_f f, void *handle);

int image_info(image_t *image, int json);
int image_check(image_t *image, int json);
int image_dump(image_t *image, int contents);

#endif
