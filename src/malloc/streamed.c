/* SPDX-License-Identifier: MIT */
/*
 * streamed: what C++ programs print and copy: operator<<() of numbers and of std::string, and the latter's copies, as
 * libstdc++ has them for all programs.  A number is looked at as in formatted.c; a string that lies in a freed block
 * is told before its size, which is no size any more, is taken for one: printing it would not end.
 *
 *   std::string   | characters | how many | room, or up to 15 characters |
 *
 * Each is named by its symbol, and NULL where the program has no libstdc++.
 */
#include "books.h"
#include "checked.h"

#define ALL ((size_t)-1)
#define CALL "operator<<"

typedef struct cxxstring {
    const char *text;
    size_t length;
} cxxstring_t;

/* 1: it was told. */
static int isfreed(const void *p, const char *call)
{
    vmdg_block_t b;
    if (VMOS_LIKELY(vmdg_leafof((uintptr_t)p) == NULL || vmdg_room(p) != ALL))
        return 0;
    if (vmdg_around(p, &b) != 0 || b.state != VMDG_FREED)
        return 0;
    vmdg_access(p, sizeof(cxxstring_t), 0, call);
    return 1;
}

/* The object lies somewhere, its text perhaps elsewhere. */
static int isbad(const void *string, const char *call)
{
    const cxxstring_t *s = string;
    if (isfreed(s, call))
        return 1;
    vmdg_access(s->text, s->length, 0, call);
    return 0;
}

static void number(const void *bytes, size_t n)
{
    int filling = vmdg_filling(bytes, n);
    if (VMOS_UNLIKELY(filling != 0))
        vmdg_printed(filling, VMDG_NUMBER, CALL);
}

/* An unsigned int comes as a long, too. */
static void wider(unsigned long v)
{
    uint32_t low = (uint32_t)v;
    number(&v, sizeof v);
    if (v == low && sizeof v > sizeof low)
        number(&low, sizeof low);
}

#define DEFINE_NUMBER(name, symbol, type)                                                           \
    void *vmma_put_##name(void *stream, type v)                                                     \
    {                                                                                               \
        LOOK_##name;                                                                                \
        return vmma_libc_put_##name(stream, v);                                                     \
    }
#define PLAIN number(&v, sizeof v)
#define LOOK_int PLAIN
#define LOOK_unsigned PLAIN
#define LOOK_long PLAIN
#define LOOK_ulong PLAIN
#define LOOK_longlong PLAIN
#define LOOK_ulonglong PLAIN
#define LOOK_float PLAIN
#define LOOK_double vmma_fraction(v, VMDG_NUMBER, CALL)
#define LOOK_inserted_long PLAIN
#define LOOK_inserted_ulong wider(v)
#define LOOK_inserted_longlong PLAIN
#define LOOK_inserted_ulonglong PLAIN
#define LOOK_inserted_double LOOK_double
VMMA_PUT_NUMBERS(DEFINE_NUMBER)

void *vmma_put_string(void *stream, const void *string)
{
    return isbad(string, CALL) ? stream : vmma_libc_put_string(stream, string);
}

void vmma_copy_string(void *to, const void *from)
{
    isbad(from, "std::string");
    vmma_libc_copy_string(to, from);
}

void *vmma_become_string(void *to, const void *from)
{
    isbad(from, "std::string::operator=");
    return vmma_libc_become_string(to, from);
}

void vmma_assign_string(void *to, const void *from)
{
    isbad(from, "std::string::operator=");
    vmma_libc_assign_string(to, from);
}

void *vmma_put_text(void *stream, const char *text, long n)
{
    int filling = vmdg_filling(&n, sizeof n);
    if (VMOS_UNLIKELY(filling != 0)) {
        vmdg_printed(filling, VMDG_TEXT, CALL);
        return stream;
    }
    if (n > 0)
        vmdg_access(text, (size_t)n, 0, CALL);
    return vmma_libc_put_text(stream, text, n);
}
