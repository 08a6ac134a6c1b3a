/* SPDX-License-Identifier: MIT */
/* The je_ names on Vmheap: see je.h. */
#include "je.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <vmalloc.h>

void *je_malloc(size_t size) { return vmalloc(Vmheap, size); }

void *je_calloc(size_t n, size_t size)
{
    if (size != 0 && n > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    return vmresize(Vmheap, NULL, n * size != 0 ? n * size : 1, VM_RSZERO);
}

void *je_realloc(void *block, size_t size)
{
    return vmresize(Vmheap, block, size != 0 ? size : 1, VM_RSMOVE | VM_RSCOPY);
}

void je_free(void *block) { vmfree(Vmheap, block); }

size_t je_malloc_usable_size(void *block) { return block ? (size_t)vmsize(Vmheap, block) : 0; }

void *je_mallocx(size_t size, int flags)
{
    void *block = vmalign(Vmheap, size, (size_t)1 << (flags & 0x3f));

    return block && (flags & MALLOCX_ZERO) ? memset(block, 0, size) : block;
}

void je_dallocx(void *block, int flags)
{
    (void)flags;
    vmfree(Vmheap, block);
}

static size_t figure(const char *name)
{
    Vmstat_t st;

    vmstat(Vmheap, &st);
    return strcmp(name, "stats.allocated") == 0 ? st.s_busy : st.extent;
}

int je_mallctl(const char *name, void *old, size_t *oldlen, void *to, size_t tolen)
{
    static const char *const version = "vmalloc";

    (void)to, (void)tolen;
    if (strcmp(name, "epoch") == 0 || strcmp(name, "thread.tcache.flush") == 0)
        return 0;
    if (old == NULL || oldlen == NULL)
        return ENOENT;
    if (strcmp(name, "version") == 0 && *oldlen == sizeof version) {
        memcpy(old, &version, sizeof version);
        return 0;
    }
    if (strncmp(name, "stats.", 6) == 0 && *oldlen == sizeof(size_t)) {
        size_t value = figure(name);
        memcpy(old, &value, sizeof value);
        return 0;
    }
    return ENOENT;
}
