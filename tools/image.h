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

typedef struct image {
    const char *path;
    Vmalloc_t *vm;
    int shared;            /* a shared image, else a committed one */
    Vmimgopt_t committed;  /* how it was opened */
    Vmshare_t share;
    Vmimgstat_t imgstat;   /* of a committed one */
    Vmshstat_t shstat;     /* of a shared one */
    Vmstat_t stat;
} image_t;

/* Open path, to be read only or not, and take its figures.  0, or the exit status after a message. */
int image_open(image_t *image, const char *path, int readonly);
int image_close(image_t *image);
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
