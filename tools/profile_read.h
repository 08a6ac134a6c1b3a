/* SPDX-License-Identifier: MIT */
/*
 * profile_read: a profile in memory, checked, with the records of threads added up.
 *
 * Everything in a profile_t is allocated by profile_read() and freed by profile_free(); texts are
 * never NULL.  What could not be read is told in `complaints`, and the rest is there.
 */
#ifndef VMALLOC_PROFILE_READ_H
#define VMALLOC_PROFILE_READ_H 1

#include <stddef.h>
#include <stdint.h>

#include <vmalloc/profile_format.h>

typedef struct profile_module {
    const char *path; /* "" when it has no name */
    char id[65];      /* build-id in hexadecimal digits, "" when it has none */
    uint64_t bias, low, high, text, etext;
} profile_module_t;

/* Where an entry of a stack lies. */
typedef struct profile_pc {
    uint64_t pc;     /* as in the file: the instruction is at pc - 1 */
    uint64_t offset; /* pc - 1 in the module's file's addresses; without a module pc - 1 */
    int module;      /* index, -1: in none */
} profile_pc_t;

typedef struct profile_stack {
    uint32_t number;
    uint32_t n;
    const profile_pc_t *pcs; /* innermost first */
} profile_stack_t;

typedef struct profile_place {
    uint32_t number, line;
    const char *file, *func; /* "" unknown */
} profile_place_t;

/* Blocks of one region, stack and place.  In a sampled profile all but samples are estimates. */
typedef struct profile_site {
    int region, stack, place; /* indices into the arrays of profile_t; -1: unknown, none */
    uint64_t calls, bytes;          /* asked for over the whole run */
    uint64_t live, livebytes;       /* not freed */
    uint64_t high, highbytes;       /* live when the whole program had most */
    uint64_t peakbytes;             /* its own most: exact for one thread, else at most this */
    uint64_t shortlived;            /* freed before head.nearby more allocations */
    uint64_t slack;                 /* bytes of rounding up */
    uint64_t unused;                /* head.unused: bytes never written, at the ends of blocks */
    uint64_t resizes, growth, copied;
    uint64_t samples, livesamples;  /* sampled: how many blocks were looked at */
    uint64_t sizes[VMPF_NSIZES];
    uint64_t lives[VMPF_NLIVES];
} profile_site_t;

typedef struct profile_segment {
    uint32_t region; /* number of the region, 0: of one without a profile */
    const char *name;
    uint64_t addr, extent, busy;
    uint32_t ncells;
    const unsigned char *cells;
} profile_segment_t;

typedef struct profile {
    const char *path;
    Vmpfhead_t head;
    const char *exe;
    char *command; /* arguments with blanks between them */
    int whole;     /* the head is sealed: the program ended, or this is a copy; else it runs still,
                      or ended without notice */
    profile_module_t *modules;
    size_t nmodules;
    profile_stack_t *stacks; /* by number */
    size_t nstacks;
    profile_place_t *places; /* by number */
    size_t nplaces;
    Vmpfregion_t *regions;   /* by number */
    size_t nregions;
    profile_site_t *sites;   /* by region, stack, place */
    size_t nsites;
    profile_site_t total;    /* sum of all sites; of peakbytes head.peak */
    Vmpftime_t *times;
    size_t ntimes;
    profile_segment_t *segments;
    size_t nsegments;
    char **complaints;       /* sentences: what is wrong with the file */
    size_t ncomplaints;
    void *data;              /* what stood in the file */
    size_t size;
} profile_t;

/* Read the profile in the file of that name, "-": standard input.  NULL with a sentence in why
 * (whysize bytes) when it is no profile or there is no memory. */
profile_t *profile_read(const char *path, char *why, size_t whysize);
/* The same from size bytes in memory, which are freed with the profile. */
profile_t *profile_parse(const char *path, void *data, size_t size, char *why, size_t whysize);
void profile_free(profile_t *p);

/* The index of a region, stack or place by its number; -1: there is none. */
int profile_region(const profile_t *p, uint32_t number);
int profile_stack(const profile_t *p, uint32_t number);
int profile_place(const profile_t *p, uint32_t number);

/* Two standard errors of a number of bytes that comes from so many samples, and three periods where
 * there are hardly any; 0 when it is exact. */
uint64_t profile_error(const profile_t *p, uint64_t samples);
/* Add one site's figures to another's. */
void profile_add(profile_site_t *sum, const profile_site_t *site);

/* CRC-32C of size bytes, continued from crc (0 at first). */
uint32_t profile_crc(uint32_t crc, const void *data, size_t size);

#endif
