/* SPDX-License-Identifier: MIT */
/*
 * Changed pages, where nothing is known of a system: none of it can be told.
 */
#include "os_disk.h"

#include <errno.h>

static int cannot(void)
{
    errno = ENOSYS;
    return -1;
}

int vmos_track_open(void)
{
    return cannot();
}

int vmos_track_add(int fd, void *addr, size_t size)
{
    (void)fd, (void)addr, (void)size;
    return cannot();
}

int vmos_pagemap_open(void)
{
    return cannot();
}

int vmos_track_scan(int pagemap, char **from, char *end, vmos_span_t *spans, int max)
{
    (void)pagemap, (void)from, (void)end, (void)spans, (void)max;
    return cannot();
}

int vmos_track_look(int pagemap, char **from, char *end, vmos_span_t *spans, int max)
{
    return vmos_track_scan(pagemap, from, end, spans, max);
}

uint64_t vmos_faults(void)
{
    return 0;
}

int vmos_pagemap_kinds(int pagemap, const void *addr, size_t n, unsigned char *kind)
{
    (void)pagemap, (void)addr, (void)n, (void)kind;
    return cannot();
}

int vmos_pagemap_private(int pagemap, const void *addr, size_t n, unsigned char *is)
{
    (void)pagemap, (void)addr, (void)n, (void)is;
    return cannot();
}
