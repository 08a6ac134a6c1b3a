/* SPDX-License-Identifier: MIT */
/*
 * calm: looks that can be left out.
 *
 * When the last look found all writes to be such that are not noted (hot pages, told ones: img->calm), and the process
 * has had no fault of a page since before it, nothing else was written: the first write to a page that is noted is a
 * fault.  The system counts faults, and adds up those of all threads when it is asked: 0.5 µs for one thread, 86 for
 * a thousand.  A look costs 0.6 µs and 2 for each 1000 pages.  So both are timed now and then, and when asking was the
 * dearer three times in a row, looks are taken instead for some commits, and timed meanwhile.
 */
#include "image.h"

#define EACH 16   /* of so many one is timed */
#define DEAR 1024 /* commits that look without asking */

static int timed(uint64_t *n)
{
    return ++*n % EACH == 0;
}

/* How many faults the process had; 0: that is not to be known, or too dear. */
static uint64_t ask(vmi_t *img)
{
    uint64_t began, now;
    if (img->dear > 0) {
        img->dear--;
        return 0;
    }
    if (!timed(&img->asks))
        return vmos_faults();
    began = vmos_nanotime();
    now = vmos_faults();
    img->slow = img->lookcost != 0 && vmos_nanotime() - began > img->lookcost ? img->slow + 1 : 0;
    if (img->slow == 3) {
        img->slow = 0;
        img->lookcost = 0; /* what it is for an image of this size is measured again */
        img->dear = DEAR;
    }
    return now;
}

int vmi_calm(vmi_t *img)
{
    uint64_t now;
    int r;
    if (!img->calm || !img->counted) {
        img->faults = 0;
        return 0;
    }
    now = ask(img);
    r = now != 0 && now == img->faults; /* 0: it may not be asked for any more */
    img->faults = now;
    return r;
}

uint64_t vmi_calm_look(vmi_t *img)
{
    return timed(&img->looks) || img->looks < EACH ? vmos_nanotime() : 0;
}

void vmi_calm_looked(vmi_t *img, uint64_t began)
{
    uint64_t took = began != 0 ? vmos_nanotime() - began : 0;
    if (took != 0 && (img->lookcost == 0 || took < img->lookcost))
        img->lookcost = took;
}
