/* SPDX-License-Identifier: MIT */
/*
 * new: the operators new and delete of C++, in C: the library needs no C++ runtime, and a program
 * without one never comes here.
 *
 * The names are those of the C++ ABI of all systems but Windows: _Znw new, _Zna new[], _Zdl delete,
 * _Zda delete[], then the types of the arguments: m or j for size_t, Pv for a pointer,
 * St11align_val_t, RKSt9nothrow_t.
 *
 * When memory runs out, new calls the program's new-handler and tries again, as long as there is
 * one; without, it throws std::bad_alloc (nothrow: returns NULL).  Handler and exception are those
 * of the C++ library that the program has, libstdc++ or libc++.  What a handler throws in a nothrow
 * new must be caught, which C cannot: where there is a handler, the C++ library's own nothrow new
 * does it, around the throwing one, which is ours.  Limit: in a program that is linked statically
 * there is only ours, and such a handler ends it; and so does it where another allocator with such
 * operators stands between this library and the C++ library.
 */
#define _GNU_SOURCE 1
#include "debugged.h"
#include "malloc.h"

#include <dlfcn.h>

#if SIZE_MAX > 0xffffffffu
#define SIZED(before, after) before##m##after
#else
#define SIZED(before, after) before##j##after
#endif

#define TEXT(name) TEXTOF(name)
#define TEXTOF(name) #name
#define PLAIN(name) TEXT(SIZED(name, RKSt9nothrow_t))
#define ALIGNED(name) TEXT(SIZED(name, St11align_val_tRKSt9nothrow_t))

#pragma weak dlsym
#pragma weak dladdr

typedef void (*handler_t)(void);
__attribute__((weak)) handler_t _ZSt15get_new_handlerv(void);        /* std::get_new_handler() */
__attribute__((weak, noreturn)) void _ZSt17__throw_bad_allocv(void); /* std::__throw_bad_alloc() */

/* ---- when memory ran out ---- */

static VMOS_COLD handler_t handler(void)
{
    return _ZSt15get_new_handlerv != NULL ? _ZSt15get_new_handlerv() : NULL;
}

static VMOS_COLD void fail(size_t size)
{
    if (_ZSt17__throw_bad_allocv != NULL)
        _ZSt17__throw_bad_allocv();
    vmb_fault("new: no memory for %zu bytes, and no std::bad_alloc to throw", size);
    vmos_abort();
}

/* Whether a function is of the C++ library, where the handler is kept: the next operator may be that
 * of another allocator, whose blocks are not ours. */
static VMOS_COLD int ofthelibrary(void *function)
{
    Dl_info its, library;
    return dladdr != NULL && dladdr(function, &its) != 0 &&
           dladdr((void *)(uintptr_t)_ZSt15get_new_handlerv, &library) != 0 &&
           its.dli_fbase == library.dli_fbase;
}

/* By the C++ library's nothrow new, which calls ours that throws and catches.  -1: there is none. */
static VMOS_COLD int by_library(size_t size, size_t align, vmdg_family_t family, void **p)
{
    static const char tag; /* std::nothrow, at which nobody looks */
    int array = family == VMDG_ARRAY || family == VMDG_ARRAYALIGN;
    int aligned = family == VMDG_NEWALIGN || family == VMDG_ARRAYALIGN;
    const char *name = aligned ? array ? ALIGNED(_Zna) : ALIGNED(_Znw)
                               : array ? PLAIN(_Zna) : PLAIN(_Znw);
    void *next = dlsym != NULL ? dlsym(RTLD_NEXT, name) : NULL;
    if (next == NULL || !ofthelibrary(next))
        return -1;
    if (aligned)
        *p = ((void *(*)(size_t, size_t, const void *))(uintptr_t)next)(size, align, &tag);
    else
        *p = ((void *(*)(size_t, const void *))(uintptr_t)next)(size, &tag);
    return 0;
}

static VMOS_COLD void *again(size_t size, size_t align, vmdg_family_t family, int throwing)
{
    handler_t h;
    void *p = NULL;
    if (!throwing && handler() != NULL && by_library(size, align, family, &p) == 0)
        return p;
    while (p == NULL && (h = handler()) != NULL) {
        h();
        p = vmma_align(align, size, family);
    }
    if (p == NULL && throwing)
        fail(size);
    return p;
}

/* ---- the work ---- */

static VMOS_NOINLINE void *newslow(size_t size, vmdg_family_t family, int throwing)
{
    void *p;
    vmma_region();
    p = vmma_debugged() ? vmma_debug_alloc(size, 0, 0, family) : vmma_allocas(size, family);
    return VMOS_LIKELY(p != NULL) ? p : again(size, 1, family, throwing);
}

VMOS_INLINE void *newfast(size_t size, vmdg_family_t family, int throwing)
{
    void *p = vmma_take(size);
    return VMOS_LIKELY(p != NULL) ? p : newslow(size, family, throwing);
}

static void *newaligned(size_t size, size_t align, vmdg_family_t family, int throwing)
{
    void *p;
    vmma_region();
    p = vmma_align(align, size, family);
    return VMOS_LIKELY(p != NULL) ? p : again(size, align, family, throwing);
}

static VMOS_NOINLINE void deleteslow(void *p, vmdg_family_t family, size_t size, size_t align)
{
    vmma_giveback(family == VMDG_ARRAY || family == VMDG_ARRAYALIGN ? "operator delete[]"
                                                                    : "operator delete",
                  family, p, size, align);
}

VMOS_INLINE void delete(void *p, vmdg_family_t family, size_t size, size_t align)
{
    if (VMOS_UNLIKELY(vmma_give(p) != 0))
        deleteslow(p, family, size, align);
}

/* ---- the names ---- */

#define NEW(name, family)                                                                          \
    VM_API void *SIZED(name, )(size_t size);                                                       \
    void *SIZED(name, )(size_t size)                                                               \
    {                                                                                              \
        return newfast(size, family, 1);                                                           \
    }                                                                                              \
    VM_API void *SIZED(name, RKSt9nothrow_t)(size_t size, const void *tag);                        \
    void *SIZED(name, RKSt9nothrow_t)(size_t size, const void *tag)                                \
    {                                                                                              \
        (void)tag;                                                                                 \
        return newfast(size, family, 0);                                                           \
    }                                                                                              \
    VM_API void *SIZED(name, St11align_val_t)(size_t size, size_t align);                          \
    void *SIZED(name, St11align_val_t)(size_t size, size_t align)                                  \
    {                                                                                              \
        return newaligned(size, align, family##ALIGN, 1);                                          \
    }                                                                                              \
    VM_API void *SIZED(name, St11align_val_tRKSt9nothrow_t)(size_t size, size_t align,             \
                                                            const void *tag);                      \
    void *SIZED(name, St11align_val_tRKSt9nothrow_t)(size_t size, size_t align, const void *tag)   \
    {                                                                                              \
        (void)tag;                                                                                 \
        return newaligned(size, align, family##ALIGN, 0);                                          \
    }

NEW(_Znw, VMDG_NEW)
NEW(_Zna, VMDG_ARRAY)

/* Sizes and alignments tell nothing that the page map does not know; Vmdebug compares them.  The
 * parameters of the function follow its name in the macro's arguments. */
#define DELETE(name, family, size, align, ...)                                                     \
    VM_API void name(void *p __VA_ARGS__);                                                         \
    void name(void *p __VA_ARGS__)                                                                 \
    {                                                                                              \
        delete(p, family, size, align);                                                            \
    }
#define COMMA ,
#define DELETES(name, family)                                                                      \
    DELETE(name, family, VMDG_NOSIZE, 0, )                                                         \
    DELETE(name##RKSt9nothrow_t, family, VMDG_NOSIZE, 0, )                                         \
    DELETE(name##St11align_val_t, family##ALIGN, VMDG_NOSIZE, al, COMMA size_t al)                 \
    DELETE(name##St11align_val_tRKSt9nothrow_t, family##ALIGN, VMDG_NOSIZE, al, COMMA size_t al)   \
    DELETE(SIZED(name, ), family, n, 0, COMMA size_t n)                                            \
    DELETE(SIZED(name, St11align_val_t), family##ALIGN, n, al, COMMA size_t n COMMA size_t al)

DELETES(_ZdlPv, VMDG_NEW)
DELETES(_ZdaPv, VMDG_ARRAY)
