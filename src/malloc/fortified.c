/* SPDX-License-Identifier: MIT */
/*
 * fortified: what programs that were compiled with _FORTIFY_SOURCE call in place of memcpy(), strcpy() and
 * their like: __memcpy_chk() and so on, with the room that the compiler knows of.  Looked up as in
 * checked.c, then left to libc, which ends the program when the room is too small.  Reports name the
 * function as the program has it.
 */
#include "books.h"
#include "checked.h"

#define ALL ((size_t)-1)
#define READS(p, n, call) vmdg_access(p, n, 0, call)
#define WRITES(p, n, call) vmdg_access(p, n, 1, call)

/* n bytes from `from` to `to`. */
static void copied(void *to, const void *from, size_t n, int apart, const char *call)
{
    READS(from, n, call);
    WRITES(to, n, call);
    if (apart)
        vmdg_overlapping(to, from, n, call);
}

/* A string and its 0, behind the first `had` bytes of `to`. */
static void appended(char *to, size_t had, const char *from, const char *call)
{
    size_t len = vmma_length(from, ALL, call);
    WRITES(to + had, len + 1, call);
    vmdg_overlapping(to + had, from, len + 1, call);
}

static void wappended(wchar_t *to, size_t had, const wchar_t *from, size_t n, const char *call)
{
    size_t len = VMMA_WIDE(vmma_wlength(from, n, call) + 1);
    WRITES(to + had, len, call);
    if (n == ALL)
        vmdg_overlapping(to + had, from, len, call);
}

static void filled(void *to, size_t size, size_t n, const char *call)
{
    size_t total;
    if (!vmb_mulover(size, n, &total))
        WRITES(to, total, call);
}

/* What is looked up for each. */
#define LOOK_memcpy copied(to, from, n, 1, "memcpy")
#define LOOK_mempcpy copied(to, from, n, 1, "mempcpy")
#define LOOK_memmove copied(to, from, n, 0, "memmove")
#define LOOK_memset WRITES(to, n, "memset")
#define LOOK_strcpy appended(to, 0, from, "strcpy")
#define LOOK_stpcpy appended(to, 0, from, "stpcpy")
#define LOOK_strncpy vmma_padded(to, from, n, "strncpy")
#define LOOK_strcat appended(to, vmma_length(to, ALL, "strcat"), from, "strcat")
#define LOOK_strncat vmma_lengthened(to, from, n, "strncat")
#define LOOK_wcscpy wappended(to, 0, from, ALL, "wcscpy")
#define LOOK_wcscat wappended(to, vmma_wlength(to, ALL, "wcscat"), from, ALL, "wcscat")
#define LOOK_wcsncpy vmma_wlength(from, n, "wcsncpy"), WRITES(to, VMMA_WIDE(n), "wcsncpy")
#define LOOK_wcsncat wappended(to, vmma_wlength(to, ALL, "wcsncat"), from, n, "wcsncat")
#define LOOK_stpncpy vmma_padded(to, from, n, "stpncpy")
#define LOOK_wmemcpy copied(to, from, VMMA_WIDE(n), 1, "wmemcpy")
#define LOOK_wmemmove copied(to, from, VMMA_WIDE(n), 0, "wmemmove")
#define LOOK_wmemset WRITES(to, VMMA_WIDE(n), "wmemset")
#define LOOK_read WRITES(to, n, "read")
#define LOOK_recv WRITES(to, n, "recv")
#define LOOK_fread filled(to, size, n, "fread")
#define LOOK_fgets filled(to, 1, n > 0 ? (size_t)n : 0, "fgets")

#define DEFINE(name, result, parameters, arguments)                                                 \
    result vmma_##name##_chk parameters                                                             \
    {                                                                                               \
        LOOK_##name;                                                                                \
        return __##name##_chk arguments;                                                            \
    }
VMMA_FORTIFIED(DEFINE)
