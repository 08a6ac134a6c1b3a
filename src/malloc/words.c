/* SPDX-License-Identifier: MIT */
/*
 * words: functions that look for parts of strings, that sort, and those for wide strings, as in strings.c: what they
 * surely read or write is looked up, then libc's own runs.
 */
#define _GNU_SOURCE 1
#include "books.h"
#include "checked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ALL ((size_t)-1)
#define READS(p, n, call) vmdg_access(p, n, 0, call)
#define WRITES(p, n, call) vmdg_access(p, n, 1, call)

/* ---- what is read ---- */

/* All of a text. */
static void whole(const char *s, const char *call)
{
    if (s != NULL)
        vmma_length(s, ALL, call);
}

static void wwhole(const wchar_t *s, const char *call)
{
    vmma_wlength(s, ALL, call);
}

/* As far as the bytes are of the set, or are not. */
static void span(const char *s, const char *set, int within, const char *call)
{
    size_t room = vmdg_room(s), i = 0;
    whole(set, call);
    if (room == ALL) {
        READS(s, 1, call);
        return;
    }
    while (i < room && s[i] != 0 && (strchr(set, s[i]) != NULL) == within)
        i++;
    if (i == room)
        READS(s, room + 1, call);
}

/* Up to the first c, which a text need not have. */
static void upto(const char *s, int c, int ends, const char *call)
{
    size_t room = vmdg_room(s);
    if (room == ALL)
        READS(s, 1, call);
    else if (memchr(s, c, room) == NULL && !(ends && memchr(s, 0, room) != NULL))
        READS(s, room + 1, call);
}

/* Looking for a part in n bytes: all of them are read if it is not there. */
static void partof(const void *s, size_t n, const void *part, size_t len)
{
    size_t room = vmdg_room(s);
    READS(part, len, "memmem");
    if (room == ALL)
        READS(s, n != 0, "memmem");
    else if (room < n && memmem(s, room, part, len) == NULL)
        READS(s, n, "memmem");
}

static void wcompared(const wchar_t *a, const wchar_t *b, size_t n, const char *call)
{
    size_t i = 0, ra = vmdg_room(a) / sizeof *a, rb = vmdg_room(b) / sizeof *b, room = VMB_MIN(ra, rb);
    READS(a, n != 0, call);
    READS(b, n != 0, call);
    while (i < n && i < room && a[i] == b[i] && a[i] != 0)
        i++;
    if (i < n && i == room)
        READS(ra == room ? a : b, VMMA_WIDE(room + 1), call);
}

/* ---- what is written ---- */

static void copied(void *to, const void *from, size_t n, const char *call)
{
    READS(from, n, call);
    WRITES(to, n, call);
}

static void wcopied(wchar_t *to, const wchar_t *from, const char *call)
{
    size_t n = VMMA_WIDE(vmma_wlength(from, ALL, call) + 1);
    WRITES(to, n, call);
    vmdg_overlapping(to, from, n, call);
}

static void sorted(void *base, size_t n, size_t size, const char *call)
{
    size_t total;
    if (n > 1 && !vmb_mulover(n, size, &total))
        WRITES(base, total, call);
}

/* How much it becomes is asked of libc where there may be too little room.  Where there is room for n, what is read
 * need not end: n bytes of it become n characters at most. */
static void widened(const wchar_t *to, const char *from, size_t n)
{
    size_t room = to != NULL ? vmdg_room(to) : ALL, len;
    vmma_length(from, to != NULL ? n : ALL, "mbstowcs");
    if (room / sizeof *to >= n)
        return;
    len = mbstowcs(NULL, from, 0);
    if (len != ALL)
        WRITES(to, VMMA_WIDE(VMB_MIN(len + 1, n)), "mbstowcs");
}

/* Bytes, n at least, that the characters of a block make which do not end in it; ALL: they are none; 0: they end, or
 * make less. */
static size_t unended(const wchar_t *from, size_t n)
{
    size_t have = vmdg_room(from) / sizeof *from, len;
    mbstate_t state;
    if (have == ALL / sizeof *from || have == 0 || wcsnlen(from, have) != have)
        return 0;
    memset(&state, 0, sizeof state);
    len = wcsnrtombs(NULL, &from, VMB_MIN(have, n), 0, &state);
    return len >= n ? len : 0;
}

static void narrowed(const char *to, const wchar_t *from, size_t n)
{
    size_t room = to != NULL ? vmdg_room(to) : ALL, len;
    int keep = errno;
    size_t made = to != NULL ? unended(from, n) : 0;
    errno = keep;
    if (vmdg_room(from) == ALL)
        READS(from, to == NULL || n != 0, "wcstombs");
    else if (made < n || to == NULL)
        wwhole(from, "wcstombs");
    if (room >= n || made == ALL)
        return;
    len = made != 0 ? n : wcstombs(NULL, from, 0);
    if (len != ALL)
        WRITES(to, VMB_MIN(len + 1, n), "wcstombs");
}

/* ---- the functions ---- */

#define LOOK_strtok whole(s, "strtok"), whole(set, "strtok")
#define LOOK_strtok_r whole(s, "strtok_r"), whole(set, "strtok_r")
#define LOOK_strpbrk span(s, set, 0, "strpbrk")
#define LOOK_strcspn span(s, set, 0, "strcspn")
#define LOOK_strspn span(s, set, 1, "strspn")
#define LOOK_strcoll whole(a, "strcoll"), whole(b, "strcoll")
#define LOOK_strcasestr whole(part, "strcasestr"), upto(s, 0, 1, "strcasestr")
#define LOOK_strchrnul upto(s, c, 1, "strchrnul")
#define LOOK_rawmemchr upto(s, c, 0, "rawmemchr")
#define LOOK_memrchr READS(s, n, "memrchr")
#define LOOK_memmem partof(s, n, part, len)
#define LOOK_bcmp READS(a, n, "bcmp"), READS(b, n, "bcmp")
#define LOOK_bcopy copied(to, from, n, "bcopy")
#define LOOK_bzero WRITES(to, n, "bzero")
#define LOOK_explicit_bzero WRITES(to, n, "explicit_bzero")
#define LOOK_qsort sorted(base, n, size, "qsort")
#define LOOK_wcsnlen vmma_wlength(s, n, "wcsnlen")
#define LOOK_wcpcpy wcopied(to, from, "wcpcpy")
#define LOOK_wcsncmp wcompared(a, b, n, "wcsncmp")
#define LOOK_wcsrchr wwhole(s, "wcsrchr")
#define LOOK_wcsdup wwhole(s, "wcsdup")
#define LOOK_wmemcmp READS(a, VMMA_WIDE(n), "wmemcmp"), READS(b, VMMA_WIDE(n), "wmemcmp")
#define LOOK_mbstowcs widened(to, from, n)
#define LOOK_wcstombs narrowed(to, from, n)

#define DEFINE(name, result, parameters, arguments)                                                 \
    result vmma_##name parameters                                                                   \
    {                                                                                               \
        LOOK_##name;                                                                                \
        return name arguments;                                                                      \
    }
VMMA_WORDS(DEFINE)

#define DEFINE_VOID(name, parameters, arguments)                                                    \
    void vmma_##name parameters                                                                     \
    {                                                                                               \
        LOOK_##name;                                                                                \
        name arguments;                                                                             \
    }
VMMA_WORDS_VOID(DEFINE_VOID)
