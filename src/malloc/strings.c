/* SPDX-License-Identifier: MIT */
/*
 * strings: more functions of libc for strings, numbers in strings, and input and output, as in checked.c: what
 * they surely read or write is looked up, then libc's own runs.
 */
#define _GNU_SOURCE 1
#include "books.h"
#include "checked.h"
#include "os_debug.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define ALL ((size_t)-1)
#define READS(p, n, call) vmdg_access(p, n, 0, call)
#define WRITES(p, n, call) vmdg_access(p, n, 1, call)

/* ---- what is read of a string ---- */

/* 1: it was freed or lies in no block; the former is told. */
static int isnobodys(const void *s, size_t room, const char *call)
{
    if (VMOS_LIKELY(room != ALL))
        return 0;
    READS(s, 1, call);
    return 1;
}

/* Both end within their room, or n bytes do: the most frequent. */
static int ends(const char *a, size_t ra, const char *b, size_t rb, size_t n)
{
    return (ra >= n || memchr(a, 0, ra) != NULL) && (rb >= n || memchr(b, 0, rb) != NULL);
}

void vmma_compared(const char *a, const char *b, size_t n, const char *call)
{
    size_t ra = vmdg_room(a), rb = vmdg_room(b), room = VMB_MIN(VMB_MIN(ra, rb), n), i;
    if (n == 0 || (isnobodys(a, ra, call) & isnobodys(b, rb, call)) || ends(a, ra, b, rb, n))
        return;
    for (i = 0; i < room && a[i] == b[i] && a[i] != '\0'; i++)
        continue;
    if (i < room || i == n)
        return;
    READS(ra == room ? a : b, i + 1, call);
}

/* Letters that differ in case are equal, too. */
static void caseless(const char *a, const char *b, size_t n, const char *call)
{
    size_t ra = vmdg_room(a), rb = vmdg_room(b), room = VMB_MIN(VMB_MIN(ra, rb), n), i;
    if (n == 0 || (isnobodys(a, ra, call) & isnobodys(b, rb, call)) || ends(a, ra, b, rb, n))
        return;
    for (i = 0; i < room && strncasecmp(a + i, b + i, 1) == 0 && a[i] != '\0'; i++)
        continue;
    if (i == room && i < n)
        READS(ra == room ? a : b, i + 1, call);
}

static void wcompared(const wchar_t *a, const wchar_t *b, const char *call)
{
    size_t ra = vmdg_room(a), rb = vmdg_room(b), room = VMB_MIN(ra, rb), i;
    if (isnobodys(a, ra, call) & isnobodys(b, rb, call))
        return;
    for (i = 0; VMMA_WIDE(i + 1) <= room && a[i] == b[i] && a[i] != L'\0'; i++)
        continue;
    if (VMMA_WIDE(i + 1) > room)
        READS(ra == room ? a : b, VMMA_WIDE(i + 1), call);
}

/* Up to the first c among n bytes; how many that are. */
static size_t upto(const void *s, int c, size_t n, const char *call)
{
    size_t room = vmdg_room(s), most = VMB_MIN(room, n);
    const char *found;
    if (n == 0 || isnobodys(s, room, call))
        return 0;
    found = memchr(s, c, most);
    if (found == NULL && room < n)
        READS(s, room + 1, call);
    return found != NULL ? (size_t)(found - (const char *)s) + 1 : n;
}

/* Looking for part in s. */
static void partof(const char *s, const char *part)
{
    size_t room = vmdg_room(s);
    if (isnobodys(s, room, "strstr") || memchr(s, 0, room) != NULL)
        return;
    if (memmem(s, room, part, strlen(part)) == NULL)
        READS(s, room + 1, "strstr");
}

/* Spaces, a sign, and digits, which who reads a number passes in any case. */
static void number(const char *s, const char *call)
{
    size_t room = vmdg_room(s), i = 0;
    if (isnobodys(s, room, call))
        return;
    while (i < room && s[i] == ' ')
        i++;
    i += i < room && (s[i] == '-' || s[i] == '+');
    while (i < room && s[i] >= '0' && s[i] <= '9')
        i++;
    if (i == room)
        READS(s, room + 1, call);
}

void vmma_based(const char *s, int base, const char *call)
{
    if (base == 10 || base == 16)
        number(s, call);
    else
        isnobodys(s, vmdg_room(s), call);
}

static void wideupto(const wchar_t *s, wchar_t c, const char *call)
{
    size_t room = vmdg_room(s), i;
    if (isnobodys(s, room, call))
        return;
    for (i = 0; VMMA_WIDE(i + 1) <= room && s[i] != c && s[i] != L'\0'; i++)
        continue;
    if (VMMA_WIDE(i + 1) > room)
        READS(s, VMMA_WIDE(i + 1), call);
}

/* ---- what is read or written of others ---- */

static void copiedupto(void *to, const void *from, int c, size_t n, const char *call)
{
    size_t room = vmdg_room(from);
    const char *found = memchr(from, c, VMB_MIN(room, n));
    size_t len = found != NULL ? (size_t)(found - (const char *)from) + 1 : n;
    READS(from, len, call);
    WRITES(to, len, call);
}

/* The array may be nowhere, which the kernel tells the program. */
static void vector(const struct iovec *io, int n, int write, const char *call)
{
    struct iovec some[16];
    if (n > IOV_MAX)
        return;
    for (int i = 0, most; i < n; i += most) {
        most = VMB_MIN(n - i, 16);
        if (vmos_peek(io + i, some, (size_t)most * sizeof *some) != (size_t)most * sizeof *some)
            return;
        for (int k = 0; k < most; k++)
            vmdg_access(some[k].iov_base, some[k].iov_len, write, call);
    }
}

/* A path is as long as it is, whatever room is said to be there: it is asked for with other room before,
 * if it goes to a block of less than n bytes.  0: it does not, or was told. */
static int issmall(const char *to, size_t n, const char *call)
{
    size_t room = n != 0 ? vmdg_room(to) : ALL;
    if (room == ALL)
        WRITES(to, n != 0, call);
    return room < n;
}

static void folder(const char *to, size_t n)
{
    char path[PATH_MAX];
    int keep = errno;
    size_t len;
    if (!issmall(to, n, "getcwd"))
        return;
    len = getcwd(path, sizeof path) != NULL ? strlen(path) + 1 : 0;
    errno = keep;
    if (len <= n)
        WRITES(to, len, "getcwd");
}

static void linked(const char *name, const char *to, size_t n)
{
    char path[PATH_MAX];
    int keep = errno;
    ssize_t len;
    if (!issmall(to, n, "readlink"))
        return;
    len = readlink(name, path, sizeof path);
    errno = keep;
    if (len > 0)
        WRITES(to, VMB_MIN((size_t)len, n), "readlink");
}

/* ---- the functions ---- */

#define LOOK_memchr upto(s, c, n, "memchr")
#define LOOK_memccpy copiedupto(to, from, c, n, "memccpy")
#define LOOK_stpncpy vmma_padded(to, from, n, "stpncpy")
#define LOOK_strncmp vmma_compared(a, b, n, "strncmp")
#define LOOK_strcasecmp caseless(a, b, ALL, "strcasecmp")
#define LOOK_strncasecmp caseless(a, b, n, "strncasecmp")
#define LOOK_strstr upto(part, 0, ALL, "strstr"), partof(s, part)
#define LOOK_strdup upto(s, 0, ALL, "strdup")
#define LOOK_strndup upto(s, 0, n, "strndup")
#define LOOK_atoi number(s, "atoi")
#define LOOK_atol number(s, "atol")
#define LOOK_atof number(s, "atof")
#define LOOK_strtod number(s, "strtod")
#define LOOK_wcscmp wcompared(a, b, "wcscmp")
#define LOOK_wcschr wideupto(s, c, "wcschr")
#define LOOK_fputws wideupto(s, L'\0', "fputws");                                                            \
    if (vmma_isgone(file, "fputws"))                                                               \
    return EOF
#define LOOK_fgetws WRITES(to, n > 0 ? VMMA_WIDE((size_t)n) : 0, "fgetws");                                  \
    if (vmma_isgone(file, "fgetws"))                                                               \
    return NULL
#define LOOK_getcwd folder(to, n)
#define LOOK_readlink upto(path, 0, ALL, "readlink"), linked(path, to, n)
#define LOOK_pread WRITES(to, n, "pread")
#define LOOK_pwrite READS(from, n, "pwrite")
#define LOOK_readv vector(io, n, 1, "readv")
#define LOOK_writev vector(io, n, 0, "writev")
#define LOOK_recvfrom WRITES(to, n, "recvfrom")
#define LOOK_sendto READS(from, n, "sendto")

#define DEFINE(name, result, parameters, arguments)                                                 \
    result vmma_##name parameters                                                                   \
    {                                                                                               \
        LOOK_##name;                                                                                \
        return name arguments;                                                                      \
    }
VMMA_STRINGS(DEFINE)
