/* SPDX-License-Identifier: MIT */
/*
 * What every test of images includes: a file of its own, and a list in an image as the thing to lose.
 */
#ifndef TEST_IMAGE_H
#define TEST_IMAGE_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmalloc.h>
#include <vmalloc/image.h>

static char folder[64], file[96], other[96];
static size_t addresses; /* of images that open_image() makes; 0: as many as they have by themselves */

/* In memory where that can be: what is tested is not the disk, and each commit would wait for it.  A
 * test that defines ON_DISK means it. */
static inline const char *place(void)
{
    const char *tmp = getenv("TMPDIR");
#ifndef ON_DISK
    if (access("/dev/shm", W_OK) == 0)
        return "/dev/shm";
#endif
    return tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp";
}

static inline int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s/vmimage.XXXXXX", place());
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(file, sizeof file, "%s/image", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    return 0;
}

static inline int teardown(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? 0 : -1;
}

static inline Vmalloc_t *open_image(const char *path, unsigned flags, Vmethod_t *meth)
{
    Vmimgopt_t opt;
    memset(&opt, 0, sizeof opt);
    opt.flags = flags;
    opt.meth = meth;
    opt.limit = addresses;
    return vmimage(path, &opt);
}

static inline Vmalloc_t *must_open(const char *path, unsigned flags, Vmethod_t *meth)
{
    Vmalloc_t *vm = open_image(path, flags, meth);
    char why[160];
    if (vm == NULL) {
        vmimagewhy(why, sizeof why);
        fail_msg("%s", why);
    }
    return vm;
}

/* A list of numbers from n down to 1, the root "list". */
typedef struct item {
    struct item *next;
    long value;
    char more[16];
} item_t;

static inline void push(Vmalloc_t *vm, long n)
{
    item_t *head = vmrootget(vm, "list", NULL);
    while (n-- > 0) {
        item_t *it = vmalloc(vm, sizeof *it);
        assert_non_null(it);
        it->next = head;
        it->value = head != NULL ? head->value + 1 : 1;
        head = it;
    }
    assert_int_equal(vmrootset(vm, "list", head, 1, 1), 0);
}

/* Its length, -1 when it is not the list that push() makes. */
static inline long length(Vmalloc_t *vm)
{
    item_t *it = vmrootget(vm, "list", NULL);
    long n = it != NULL ? it->value : 0, i = n;
    for (; it != NULL; it = it->next)
        if (vmregion(it) != vm || it->value != i--)
            return -1;
    return i == 0 ? n : -1;
}

#endif
