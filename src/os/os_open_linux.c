/* SPDX-License-Identifier: MIT */
/*
 * Modules that would pass malloc by.
 *
 * dlopen() with RTLD_DEEPBIND has a module look for names among its own libraries before those of
 * the process, and so it finds libc's malloc and free behind ours.  A block of ours that it frees,
 * such as one of strdup(), then goes to the allocator that does not know it, and the program is
 * lost: PHP opens its extensions so.  So libvmalloc-malloc.so takes the flag away, as programs do
 * themselves where they are told of another malloc (PHP under AddressSanitizer).
 *
 * The loader goes by its caller, for search paths and namespaces, so the call ends in a jump, however the
 * rest is compiled.  In a program that is linked statically there is nobody to be passed by, and this file
 * is left out.
 */
#define _GNU_SOURCE 1
#include "os.h"

#include <dlfcn.h>

#if defined(VM_LIBMALLOC) && defined(RTLD_DEEPBIND)

#pragma weak dlsym /* of libdl before glibc 2.34: a program without that opens nothing */

typedef void *(*open_t)(const char *name, int mode);

__attribute__((visibility("default"))) VMOS_JUMPS void *dlopen(const char *name, int mode);

void *dlopen(const char *name, int mode)
{
    static open_t next;
    open_t open = __atomic_load_n(&next, __ATOMIC_RELAXED);
    if (open == NULL) {
        open = dlsym != NULL ? (open_t)(uintptr_t)dlsym(RTLD_NEXT, "dlopen") : NULL;
        if (open == NULL)
            return NULL; /* and dlerror() says why */
        __atomic_store_n(&next, open, __ATOMIC_RELAXED);
    }
    VMOS_JUMP open(name, mode & ~RTLD_DEEPBIND);
}

#endif
