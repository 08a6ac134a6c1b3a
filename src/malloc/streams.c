/* SPDX-License-Identifier: MIT */
/*
 * streams: what may be done with a stream, a directory or a mutex that is no more: libc frees the first two when they
 * are closed, the program the third.  The call is told and fails: libc would follow what is left there.
 */
#define _GNU_SOURCE 1
#include "books.h"
#include "checked.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <wchar.h>

int vmma_isgone(const void *p, const char *call)
{
    vmdg_block_t b;
    if (VMOS_LIKELY(vmdg_leafof((uintptr_t)p) == NULL || vmdg_room(p) != (size_t)-1))
        return 0;
    if (vmdg_around(p, &b) != 0 || b.state != VMDG_FREED)
        return 0;
    vmdg_access(p, 1, 1, call);
    errno = EBADF;
    return 1;
}

#define DEFINE(name, result, failure, parameters, object, arguments)                                \
    result vmma_##name parameters                                                                   \
    {                                                                                               \
        if (VMOS_UNLIKELY(vmma_isgone(object, #name)))                                              \
            return failure;                                                                         \
        return name arguments;                                                                      \
    }
VMMA_STREAMS(DEFINE)

void vmma_rewind(FILE *file)
{
    if (!vmma_isgone(file, "rewind"))
        rewind(file);
}

void vmma_clearerr(FILE *file)
{
    if (!vmma_isgone(file, "clearerr"))
        clearerr(file);
}
