/* SPDX-License-Identifier: MIT */
/* checked: functions of libc whose ranges Vmdebug looks up before they run. */
#ifndef VM_MALLOC_CHECKED_H
#define VM_MALLOC_CHECKED_H 1

#include "malloc.h"

#include <stdio.h>
#include <wchar.h>

/* The calls of the program's modules go to checked functions from now on.  Vmdebug is on. */
VMMA_HIDDEN void vmma_checked_begin(void);

/* Length of a string that ends within its block, or at most n; one that does not is told of `call`. */
VMMA_HIDDEN size_t vmma_length(const char *s, size_t n, const char *call);
VMMA_HIDDEN size_t vmma_wlength(const wchar_t *s, size_t n, const char *call);
#define VMMA_WIDE(n) ((n) * sizeof(wchar_t))

/* fortified.c: libc's functions for calls that the compiler knows the room of, f(name, result,
 * parameters, arguments).  A libc that lacks one has NULL there. */
#define VMMA_FORTIFIED(f)                                                                           \
    f(memcpy, void *, (void *to, const void *from, size_t n, size_t room), (to, from, n, room))     \
    f(mempcpy, void *, (void *to, const void *from, size_t n, size_t room), (to, from, n, room))    \
    f(memmove, void *, (void *to, const void *from, size_t n, size_t room), (to, from, n, room))    \
    f(memset, void *, (void *to, int c, size_t n, size_t room), (to, c, n, room))                   \
    f(strcpy, char *, (char *to, const char *from, size_t room), (to, from, room))                  \
    f(stpcpy, char *, (char *to, const char *from, size_t room), (to, from, room))                  \
    f(strncpy, char *, (char *to, const char *from, size_t n, size_t room), (to, from, n, room))    \
    f(strcat, char *, (char *to, const char *from, size_t room), (to, from, room))                  \
    f(strncat, char *, (char *to, const char *from, size_t n, size_t room), (to, from, n, room))    \
    f(wcscpy, wchar_t *, (wchar_t *to, const wchar_t *from, size_t room), (to, from, room))         \
    f(wcscat, wchar_t *, (wchar_t *to, const wchar_t *from, size_t room), (to, from, room))         \
    f(wmemcpy, wchar_t *, (wchar_t *to, const wchar_t *from, size_t n, size_t room),                \
      (to, from, n, room))                                                                          \
    f(wmemmove, wchar_t *, (wchar_t *to, const wchar_t *from, size_t n, size_t room),               \
      (to, from, n, room))                                                                          \
    f(wmemset, wchar_t *, (wchar_t *to, wchar_t c, size_t n, size_t room), (to, c, n, room))        \
    f(read, ssize_t, (int fd, void *to, size_t n, size_t room), (fd, to, n, room))                  \
    f(recv, ssize_t, (int fd, void *to, size_t n, size_t room, int flags), (fd, to, n, room, flags)) \
    f(fread, size_t, (void *to, size_t room, size_t size, size_t n, FILE *file),                    \
      (to, room, size, n, file))                                                                    \
    f(fgets, char *, (char *to, size_t room, int n, FILE *file), (to, room, n, file))

#define VMMA_FORTIFIED_DECLARE(name, result, parameters, arguments)                                 \
    extern result __##name##_chk parameters __attribute__((weak));                                  \
    VMMA_HIDDEN result vmma_##name##_chk parameters;
VMMA_FORTIFIED(VMMA_FORTIFIED_DECLARE)

#endif
