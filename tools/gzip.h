/* SPDX-License-Identifier: MIT */
/*
 * A file of gzip: compressed where the build found zlib (gzip_zlib.c), else stored (gzip_stored.c),
 * which every reader of gzip takes as well.
 */
#ifndef VMALLOC_GZIP_H
#define VMALLOC_GZIP_H 1

#include <stdio.h>

/* 0, or -1: no memory.  What cannot be written is told by ferror(out). */
int gzip_put(FILE *out, const unsigned char *bytes, size_t n);

#endif
