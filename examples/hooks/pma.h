/* SPDX-License-Identifier: MIT */
/*
 * The interface of "pma", the persistent memory allocator of gawk (Terence Kelly, "Persistent Memory Allocation", ACM
 * Queue 20(2), 2022), over a committed image: programs that were written for it are built with this header and with
 * pma.c instead of its own two files.
 *
 * What differs: the blocks of a process that ends by exit() are there in the next one, and those of one that is
 * killed are not, nor half of them: the next one finds what the last one left that came to its end, or called
 * pma_commit().  A file that another process uses is refused (EBUSY), where the original lets both damage it.
 */
#ifndef PMA_H_INCLUDED
#define PMA_H_INCLUDED 1

#include <stddef.h>

#define PMA_H_VERSION "vmalloc (image 1)"
extern const char pma_version[];

/* Of the last call that failed: an errno, where the original has a line of its source. */
extern int pma_errno;

/* Use the image in file for all blocks: one that is there, or a file that is empty or all zeros, whose size is then
 * the limit of the image; 0 for the size stands for the default.  NULL: blocks are those of malloc().  verbose: 0
 * says nothing, 1 errors, 2 warnings, 3 what happens.  0, or an errno. */
extern int pma_init(int verbose, const char *file);

extern void *pma_malloc(size_t size);
extern void *pma_calloc(size_t nmemb, size_t size);
extern void *pma_realloc(void *ptr, size_t size);
extern void pma_free(void *ptr);

/* The one pointer that the next process finds; NULL in a new image, and without one. */
extern void pma_set_root(void *ptr);
extern void *pma_get_root(void);

/* Look at every block, and list them on stderr with verbosity 3. */
extern void pma_check_and_dump(void);

/* Not of the original: what is there now is what a process finds that comes after a crash.  0, or -1 with errno. */
extern int pma_commit(void);

#endif
