/* SPDX-License-Identifier: MIT */
/*
 * pma.h over an image: see there.  The region is used by one thread, as pma's is.
 *
 * The image is committed when the process ends by exit() or by return from main(), after the program's own handlers;
 * it is not closed, for what runs later may still look at blocks.
 */
#include "pma.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vmalloc/image.h>

#define ROOT "pma"

const char pma_version[] = PMA_H_VERSION;
int pma_errno;

static Vmalloc_t *vm; /* NULL: malloc() */
static int loud;

static int failed(const char *what, const char *why)
{
    pma_errno = errno;
    if (loud >= 1)
        fprintf(stderr, "pma: %s: %s\n", what, why != NULL && why[0] != '\0' ? why : strerror(pma_errno));
    return pma_errno;
}

/* ---- opening ---- */

/* Whether the first bytes of a file are zeros, as those of one that truncate(1) made. */
static int blank(int fd)
{
    char head[65536];
    ssize_t i, n = pread(fd, head, sizeof head, 0);

    for (i = 0; i < n; i++)
        if (head[i] != 0)
            return 0;
    return n >= 0;
}

/* A file that pma's users make for it, sparse and of the size that it may have at most, becomes an empty one, and its
 * size the limit. */
static size_t limit_of(const char *file)
{
    struct stat st;
    size_t limit = 0;
    int fd = open(file, O_RDWR | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && blank(fd) &&
        ftruncate(fd, 0) == 0)
        limit = (size_t)st.st_size;
    if (fd >= 0)
        close(fd);
    return limit;
}

static void at_exit(void)
{
    if (pma_commit() != 0 && errno != EPERM) /* EPERM: a child of fork(), whose changes are its own */
        failed("not saved", NULL);
}

int pma_init(int verbose, const char *file)
{
    Vmimgopt_t options = {.flags = VM_IMGEXIST, .vmflags = VM_SINGLE};

    loud = verbose;
    if (vm != NULL)
        return errno = EBUSY, failed("pma_init", "called before");
    if (file == NULL)
        return 0;
    options.limit = limit_of(file);
    vm = vmimage(file, &options);
    if (vm == NULL)
        return failed(file, options.why);
    if (atexit(at_exit) != 0)
        return errno = ENOMEM, failed("atexit", NULL);
    return 0;
}

int pma_commit(void)
{
    return vm != NULL ? vmcommit(vm) : 0;
}

/* ---- blocks ---- */

void *pma_malloc(size_t size)
{
    return vm != NULL ? vmalloc(vm, size != 0 ? size : 1) : malloc(size);
}

void *pma_calloc(size_t nmemb, size_t size)
{
    size_t bytes;

    if (vm == NULL)
        return calloc(nmemb, size);
    if (__builtin_mul_overflow(nmemb, size, &bytes))
        return errno = ENOMEM, NULL;
    return vmresize(vm, NULL, bytes != 0 ? bytes : 1, VM_RSZERO);
}

void *pma_realloc(void *ptr, size_t size)
{
    return vm != NULL ? vmresize(vm, ptr, size != 0 ? size : 1, VM_RSMOVE | VM_RSCOPY) : realloc(ptr, size);
}

void pma_free(void *ptr)
{
    if (vm == NULL)
        free(ptr);
    else if (ptr != NULL)
        (void)vmfree(vm, ptr);
}

/* ---- the root ---- */

void pma_set_root(void *ptr)
{
    if (vm != NULL && vmrootset(vm, ROOT, ptr, 0, 0) != 0)
        failed("pma_set_root", NULL);
}

void *pma_get_root(void)
{
    int e = errno;
    void *root = vm != NULL ? vmrootget(vm, ROOT, NULL) : NULL;

    errno = e; /* that there is none yet is no error */
    return root;
}

/* ---- looking ---- */

static int tell(Vmalloc_t *region, void *block, size_t size, int busy, void *handle)
{
    (void)region, (void)handle;
    if (loud >= 3)
        fprintf(stderr, "pma: %p %zu %s\n", block, size, busy ? "in use" : "free");
    return 0;
}

void pma_check_and_dump(void)
{
    if (vm == NULL)
        return;
    if (vmdbcheck(vm) != 0)
        failed("pma_check_and_dump", "the image is damaged");
    (void)vmblkwalk(vm, tell, NULL);
}
