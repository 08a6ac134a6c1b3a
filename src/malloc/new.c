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
 * of the C++ library that the program has, libstdc++ or libc++.  Limit: a handler that throws in a
 * nothrow new ends the program, for C cannot catch.
 */
#include "malloc.h"

#if SIZE_MAX > 0xffffffffu
#define SIZED(before, after) before##m##after
#else
#define SIZED(before, after) before##j##after
#endif

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

static VMOS_COLD void *again(size_t size, size_t align, int throwing)
{
    handler_t h;
    void *p = NULL;
    while (p == NULL && (h = handler()) != NULL) {
        h();
        p = vmma_align(align, size);
    }
    if (p == NULL && throwing)
        fail(size);
    return p;
}

/* ---- the work ---- */

static VMOS_NOINLINE void *newslow(size_t size)
{
    void *p = vmma_alloc(size);
    return VMOS_LIKELY(p != NULL) ? p : again(size, 1, 1);
}

VMOS_INLINE void *newfast(size_t size)
{
    void *p = vmma_take(size);
    return VMOS_LIKELY(p != NULL) ? p : newslow(size);
}

VMOS_INLINE void *newnothrow(size_t size)
{
    void *p = vmma_malloc(size);
    return VMOS_LIKELY(p != NULL) ? p : again(size, 1, 0);
}

static void *newaligned(size_t size, size_t align, int throwing)
{
    void *p = vmma_align(align, size);
    return VMOS_LIKELY(p != NULL) ? p : again(size, align, throwing);
}

/* ---- the names ---- */

#define NEW(name)                                                                                  \
    VM_API void *SIZED(name, )(size_t size);                                                       \
    void *SIZED(name, )(size_t size)                                                               \
    {                                                                                              \
        return newfast(size);                                                                      \
    }                                                                                              \
    VM_API void *SIZED(name, RKSt9nothrow_t)(size_t size, const void *tag);                        \
    void *SIZED(name, RKSt9nothrow_t)(size_t size, const void *tag)                                \
    {                                                                                              \
        (void)tag;                                                                                 \
        return newnothrow(size);                                                                   \
    }                                                                                              \
    VM_API void *SIZED(name, St11align_val_t)(size_t size, size_t align);                          \
    void *SIZED(name, St11align_val_t)(size_t size, size_t align)                                  \
    {                                                                                              \
        return newaligned(size, align, 1);                                                         \
    }                                                                                              \
    VM_API void *SIZED(name, St11align_val_tRKSt9nothrow_t)(size_t size, size_t align,             \
                                                            const void *tag);                      \
    void *SIZED(name, St11align_val_tRKSt9nothrow_t)(size_t size, size_t align, const void *tag)   \
    {                                                                                              \
        (void)tag;                                                                                 \
        return newaligned(size, align, 0);                                                         \
    }

NEW(_Znw)
NEW(_Zna)

/* Sizes and alignments tell nothing that the page map does not know. */
#define DELETE(name)                                                                               \
    VM_API void name(void *p);                                                                     \
    void name(void *p)                                                                             \
    {                                                                                              \
        vmma_free(p);                                                                              \
    }
#define DELETES(name)                                                                              \
    DELETE(name)                                                                                   \
    DELETE(name##RKSt9nothrow_t)                                                                   \
    DELETE(name##St11align_val_t)                                                                  \
    DELETE(name##St11align_val_tRKSt9nothrow_t)                                                    \
    DELETE(SIZED(name, ))                                                                          \
    DELETE(SIZED(name, St11align_val_t))

DELETES(_ZdlPv)
DELETES(_ZdaPv)
