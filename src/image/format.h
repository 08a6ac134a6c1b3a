/* SPDX-License-Identifier: MIT */
/*
 * format: the bytes of a committed image.  doc/design/image.md draws them and says why.
 *
 *   0       superblock   4096   superblock   256 KiB   sums and pages   journal
 *
 *   sums | meta | sums | leaf 0 | span 0 | sums | leaf 1 | span 1 | ...
 *
 *   span: VMB_LEAFSPAN bytes of the region.  sums: of the pages up to the next sums, 8 bytes each, to a
 *   page; 0 is that of a page of zeros.  Pages are numbered without them.
 *
 * Numbers are as the machine has them; byte order, word and page size are recorded and must agree.
 */
#ifndef VM_IMAGE_FORMAT_H
#define VM_IMAGE_FORMAT_H 1

#include "base.h"

#define VMI_MAGIC 0x316567616d696d76ULL   /* "vmimage1" */
#define VMI_RECORD 0x0164726f63657276ULL  /* "vrecord" */
#define VMI_META 0x0174656d67616d69ULL
#define VMI_VERSION 4u /* 1 had no sums of pages in their places */
#define VMI_OLDEST 2u  /* those from this on are read, and made new by the next superblock, */
#define VMI_LINEAR 3u  /* and get no lines in records before this one, */
#define VMI_WORDY 4u   /* nor words of lines, nor short records, before this one */
#define VMI_ORDER 0x01020304u
#define VMI_SECTOR ((size_t)512)
#define VMI_SUPER1 ((uint64_t)4096) /* where the second superblock is */
#define VMI_WRITER ((uint64_t)8192) /* bytes that are locked */
#define VMI_READER ((uint64_t)8193)
/* Where what is no header begins.  Four pages of any system, which track.c tries itself on. */
#define VMI_HOME ((uint64_t)262144)
#define VMI_METASIZE ((size_t)262144)

#define VMI_JOINTS 16
typedef struct vmi_super {
    uint64_t magic;
    uint32_t version, order, word, page;
    uint64_t id[2];   /* of the image, random */
    uint64_t seq;     /* of the superblock: the newer one holds */
    uint64_t epoch;   /* of the journal */
    uint64_t gen;     /* commits that the pages stand for */
    uint64_t base;    /* address of the region; page 0 may know better, see move.c */
    uint64_t limit;   /* bytes that it may grow to */
    uint64_t npages;  /* pages in the file */
    uint64_t journal; /* where the journal begins */
    uint64_t joint[VMI_JOINTS][2]; /* commits of several images that were decided here, in a ring */
    uint64_t njoint;
    uint64_t spare[18];
    uint64_t sum;
} vmi_super_t;
_Static_assert(sizeof(vmi_super_t) == VMI_SECTOR, "a superblock is a sector");

/* Header of a record, in a sector; the pages follow, and at `list` which they are, and then lines. */
typedef struct vmi_record {
    uint64_t magic;
    uint64_t epoch;
    uint64_t seq;      /* in the epoch, from 0 */
    uint64_t gen;      /* number of the commit */
    uint64_t npages;   /* pages of the image from now on */
    uint64_t count;    /* entries of the list */
    uint64_t list;     /* where the list is, from the start of the record: behind a sector and the pages, or
                        * behind this header in a short record, which has no pages */
    uint64_t size;     /* of the record: a multiple of a sector, in a short record of 8 */
    uint64_t joint[2]; /* not 0: part of the commit of several images with this number */
    uint64_t flags;
    uint64_t lines;    /* bytes of lines behind the list */
    uint64_t before;   /* sum of the record before, 0: there is none in the epoch, or it is of version 2 */
    uint64_t writer;   /* random, of who opened the image and wrote this: no two write the same record */
    uint64_t listsum;  /* of the list and the lines */
    uint64_t sum;
} vmi_record_t;
_Static_assert(sizeof(vmi_record_t) == 128, "the list is aligned");
#define VMI_DECISION 1u /* the commit `joint` counts; without it, it counts when its decider says so */
#define VMI_AFTER 4u     /* when it was written, all records before it were on the disk */
#define VMI_WORDS 8u     /* of lines it has the words that changed, not all */
#define VMI_SUMMED 2u   /* new pages that the record does not name have their sums in the file */

/* One page in a record. */
typedef struct vmi_entry {
    uint64_t page; /* its number, and what of it is where: VMI_INLINE, ... */
    uint64_t hash; /* its sum; VMI_LINED: which lines there are, as bits */
} vmi_entry_t;
#define VMI_KIND ((uint64_t)3 << 62)
#define VMI_INLINE ((uint64_t)0)       /* in the record */
#define VMI_AHEAD ((uint64_t)1 << 62)  /* in its place */
#define VMI_ZERO ((uint64_t)2 << 62)   /* all zeros */
#define VMI_LINED ((uint64_t)3 << 62)  /* as it was, but for lines; the journal has it whole before */

#define VMI_LINES 64                   /* of a page; each has 8 words, of 8 bytes in a page of 4 KiB */
#define VMI_LINEMOST ((size_t)1 << 20) /* bytes of lines in a record */

/* Page 0. */
typedef struct vmi_meta {
    uint64_t magic;
    void *data;  /* vm->data of the region, NULL: not made yet */
    uint64_t len; /* bytes of its segment */
    uint64_t nroots;
    uint64_t decider[2]; /* id of the image where the last commit of several is decided, */
    char at[1024];       /* and where it was */
    uint64_t base;       /* address of the region that the pages are for; 0: that in the superblock */
} vmi_meta_t;
_Static_assert(sizeof(vmi_meta_t) <= 4096, "roots begin there");

/* A checksum of n bytes, a multiple of 8; never 0.  With `to`, they are copied there in the same
 * pass, and the sum is that of the copy. */
uint64_t vmi_sum(const void *from, size_t n, uint64_t seed);
uint64_t vmi_copysum(void *to, const void *from, size_t n);

#endif
