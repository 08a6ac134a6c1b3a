/* SPDX-License-Identifier: MIT */
/* checked: functions of libc whose ranges Vmdebug looks up before they run. */
#ifndef VM_MALLOC_CHECKED_H
#define VM_MALLOC_CHECKED_H 1

#include "malloc.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <wchar.h>

/* The calls of the program's modules go to checked functions from now on.  Vmdebug is on. */
VMMA_HIDDEN void vmma_checked_begin(void);

/* Length of a string that ends within its block, or at most n; one that does not is told of `call`. */
VMMA_HIDDEN size_t vmma_length(const char *s, size_t n, const char *call);
VMMA_HIDDEN size_t vmma_wlength(const wchar_t *s, size_t n, const char *call);
/* What strncpy() and strncat() read and write, and that it does not overlap. */
VMMA_HIDDEN void vmma_padded(char *to, const char *from, size_t n, const char *call);
VMMA_HIDDEN void vmma_lengthened(char *to, const char *from, size_t n, const char *call);
/* A text of which no more than n bytes are read is printed; value: its number in a format, or VMDG_TEXT. */
VMMA_HIDDEN void vmma_text(const char *s, size_t n, size_t value, const char *call);
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
    f(wcsncpy, wchar_t *, (wchar_t *to, const wchar_t *from, size_t n, size_t room),                \
      (to, from, n, room))                                                                          \
    f(wcsncat, wchar_t *, (wchar_t *to, const wchar_t *from, size_t n, size_t room),                \
      (to, from, n, room))                                                                          \
    f(stpncpy, char *, (char *to, const char *from, size_t n, size_t room), (to, from, n, room))    \
    f(fread, size_t, (void *to, size_t room, size_t size, size_t n, FILE *file),                    \
      (to, room, size, n, file))                                                                    \
    f(fgets, char *, (char *to, size_t room, int n, FILE *file), (to, room, n, file))

#define VMMA_FORTIFIED_DECLARE(name, result, parameters, arguments)                                 \
    extern result __##name##_chk parameters __attribute__((weak));                                  \
    VMMA_HIDDEN result vmma_##name##_chk parameters;
VMMA_FORTIFIED(VMMA_FORTIFIED_DECLARE)

/* formatted.c: f(name, parameters, arguments) for name() and vname(), and for __name_chk() and
 * __vname_chk(); the format comes last. */
#define VMMA_FORMATTED(f)                                                                           \
    f(printf, (const char *format), (format))                                                       \
    f(fprintf, (FILE *file, const char *format), (file, format))                                    \
    f(dprintf, (int fd, const char *format), (fd, format))                                          \
    f(sprintf, (char *to, const char *format), (to, format))                                        \
    f(snprintf, (char *to, size_t n, const char *format), (to, n, format))                          \
    f(asprintf, (char **to, const char *format), (to, format))                                      \
    f(wprintf, (const wchar_t *format), (format))                                                   \
    f(fwprintf, (FILE *file, const wchar_t *format), (file, format))                                \
    f(swprintf, (wchar_t *to, size_t n, const wchar_t *format), (to, n, format))
#define VMMA_FORMATTED_CHK(f)                                                                       \
    f(printf, (int flag, const char *format), (flag, format))                                       \
    f(fprintf, (FILE *file, int flag, const char *format), (file, flag, format))                    \
    f(dprintf, (int fd, int flag, const char *format), (fd, flag, format))                          \
    f(sprintf, (char *to, int flag, size_t room, const char *format), (to, flag, room, format))     \
    f(snprintf, (char *to, size_t n, int flag, size_t room, const char *format),                    \
      (to, n, flag, room, format))                                                                  \
    f(asprintf, (char **to, int flag, const char *format), (to, flag, format))                      \
    f(wprintf, (int flag, const wchar_t *format), (flag, format))                                   \
    f(fwprintf, (FILE *file, int flag, const wchar_t *format), (file, flag, format))                \
    f(swprintf, (wchar_t *to, size_t n, int flag, size_t room, const wchar_t *format),              \
      (to, n, flag, room, format))

#define VMMA_BARE(...) __VA_ARGS__
#define VMMA_FORMATTED_DECLARE(name, parameters, arguments)                                         \
    VMMA_HIDDEN int vmma_##name(VMMA_BARE parameters, ...);                                         \
    VMMA_HIDDEN int vmma_v##name(VMMA_BARE parameters, va_list ap);
#define VMMA_FORMATTED_CHK_DECLARE(name, parameters, arguments)                                     \
    extern int __##name##_chk(VMMA_BARE parameters, ...) __attribute__((weak));                     \
    extern int __v##name##_chk(VMMA_BARE parameters, va_list ap) __attribute__((weak));             \
    VMMA_HIDDEN int vmma_##name##_chk(VMMA_BARE parameters, ...);                                   \
    VMMA_HIDDEN int vmma_v##name##_chk(VMMA_BARE parameters, va_list ap);
VMMA_FORMATTED(VMMA_FORMATTED_DECLARE)
VMMA_FORMATTED_CHK(VMMA_FORMATTED_CHK_DECLARE)

/* scanned.c: f(name, parameters, arguments) for name() and vname(), under each of their symbols: that of old
 * programs, and those of C99 and C23, which a libc may lack. */
#define VMMA_SCANNED(f)                                                                             \
    f(scanf, (const char *format), (format))                                                        \
    f(fscanf, (FILE *file, const char *format), (file, format))                                     \
    f(sscanf, (const char *s, const char *format), (s, format))
#define VMMA_SCANNED_DECLARE_ONE(prefix, symbol, name, parameters)                                  \
    extern int vmma_libc_##prefix##name(VMMA_BARE parameters, ...) __asm__(symbol #name)            \
        __attribute__((weak));                                                                      \
    extern int vmma_libc_##prefix##v##name(VMMA_BARE parameters, va_list ap) __asm__(symbol "v" #name) \
        __attribute__((weak));                                                                      \
    VMMA_HIDDEN int vmma_##prefix##name(VMMA_BARE parameters, ...);                                 \
    VMMA_HIDDEN int vmma_##prefix##v##name(VMMA_BARE parameters, va_list ap);
#define VMMA_SCANNED_DECLARE(name, parameters, arguments)                                           \
    VMMA_SCANNED_DECLARE_ONE(, "", name, parameters)                                                \
    VMMA_SCANNED_DECLARE_ONE(c99_, "__isoc99_", name, parameters)                                   \
    VMMA_SCANNED_DECLARE_ONE(c23_, "__isoc23_", name, parameters)
VMMA_SCANNED(VMMA_SCANNED_DECLARE)

/* strings.c: more of those for strings, f(name, result, parameters, arguments). */
#define VMMA_STRINGS(f)                                                                             \
    f(memchr, void *, (const void *s, int c, size_t n), (s, c, n))                                  \
    f(memccpy, void *, (void *to, const void *from, int c, size_t n), (to, from, c, n))             \
    f(stpncpy, char *, (char *to, const char *from, size_t n), (to, from, n))                       \
    f(strncmp, int, (const char *a, const char *b, size_t n), (a, b, n))                            \
    f(strcasecmp, int, (const char *a, const char *b), (a, b))                                      \
    f(strncasecmp, int, (const char *a, const char *b, size_t n), (a, b, n))                        \
    f(strstr, char *, (const char *s, const char *part), (s, part))                                 \
    f(strdup, char *, (const char *s), (s))                                                         \
    f(strndup, char *, (const char *s, size_t n), (s, n))                                           \
    f(atoi, int, (const char *s), (s))                                                              \
    f(atol, long, (const char *s), (s))                                                             \
    f(atof, double, (const char *s), (s))                                                           \
    f(strtod, double, (const char *s, char **end), (s, end))                                        \
    f(wcscmp, int, (const wchar_t *a, const wchar_t *b), (a, b))                                    \
    f(wcschr, wchar_t *, (const wchar_t *s, wchar_t c), (s, c))                                     \
    f(fputws, int, (const wchar_t *s, FILE *file), (s, file))                                       \
    f(fgetws, wchar_t *, (wchar_t *to, int n, FILE *file), (to, n, file))                           \
    f(getcwd, char *, (char *to, size_t n), (to, n))                                                \
    f(readlink, ssize_t, (const char *path, char *to, size_t n), (path, to, n))                     \
    f(pread, ssize_t, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))                      \
    f(pwrite, ssize_t, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))           \
    f(readv, ssize_t, (int fd, const struct iovec *io, int n), (fd, io, n))                         \
    f(writev, ssize_t, (int fd, const struct iovec *io, int n), (fd, io, n))                        \
    f(recvfrom, ssize_t, (int fd, void *to, size_t n, int flags, struct sockaddr *sa, socklen_t *len), \
      (fd, to, n, flags, sa, len))                                                                  \
    f(sendto, ssize_t,                                                                              \
      (int fd, const void *from, size_t n, int flags, const struct sockaddr *sa, socklen_t len),    \
      (fd, from, n, flags, sa, len))
#define VMMA_STRINGS_DECLARE(name, result, parameters, arguments)                                   \
    VMMA_HIDDEN result vmma_##name parameters;
VMMA_STRINGS(VMMA_STRINGS_DECLARE)

/* words.c: f(name, result, parameters, arguments), and without a result. */
#define VMMA_WORDS(f)                                                                               \
    f(strtok, char *, (char *s, const char *set), (s, set))                                         \
    f(strtok_r, char *, (char *s, const char *set, char **next), (s, set, next))                    \
    f(strpbrk, char *, (const char *s, const char *set), (s, set))                                  \
    f(strspn, size_t, (const char *s, const char *set), (s, set))                                   \
    f(strcspn, size_t, (const char *s, const char *set), (s, set))                                  \
    f(strcoll, int, (const char *a, const char *b), (a, b))                                         \
    f(strcasestr, char *, (const char *s, const char *part), (s, part))                             \
    f(strchrnul, char *, (const char *s, int c), (s, c))                                            \
    f(memrchr, void *, (const void *s, int c, size_t n), (s, c, n))                                 \
    f(memmem, void *, (const void *s, size_t n, const void *part, size_t len), (s, n, part, len))   \
    f(bcmp, int, (const void *a, const void *b, size_t n), (a, b, n))                               \
    f(wcsnlen, size_t, (const wchar_t *s, size_t n), (s, n))                                        \
    f(wcpcpy, wchar_t *, (wchar_t *to, const wchar_t *from), (to, from))                            \
    f(wcsncmp, int, (const wchar_t *a, const wchar_t *b, size_t n), (a, b, n))                      \
    f(wcsrchr, wchar_t *, (const wchar_t *s, wchar_t c), (s, c))                                    \
    f(wcsdup, wchar_t *, (const wchar_t *s), (s))                                                   \
    f(wmemcmp, int, (const wchar_t *a, const wchar_t *b, size_t n), (a, b, n))                      \
    f(mbstowcs, size_t, (wchar_t *to, const char *from, size_t n), (to, from, n))                   \
    f(wcstombs, size_t, (char *to, const wchar_t *from, size_t n), (to, from, n))
#define VMMA_WORDS_VOID(f)                                                                          \
    f(bcopy, (const void *from, void *to, size_t n), (from, to, n))                                 \
    f(bzero, (void *to, size_t n), (to, n))                                                         \
    f(explicit_bzero, (void *to, size_t n), (to, n))                                                \
    f(qsort, (void *base, size_t n, size_t size, int (*order)(const void *, const void *)),         \
      (base, n, size, order))
#define VMMA_VOID_DECLARE(name, parameters, arguments) VMMA_HIDDEN void vmma_##name parameters;
VMMA_WORDS(VMMA_STRINGS_DECLARE)
VMMA_WORDS_VOID(VMMA_VOID_DECLARE)

/* streams.c: whether p lies in a freed block, which is told, with errno EBADF. */
VMMA_HIDDEN int vmma_isgone(const void *p, const char *call);
/* f(name, result, failure, parameters, what may be gone, arguments) */
#define VMMA_STREAMS(f)                                                                             \
    f(fclose, int, EOF, (FILE *file), file, (file))                                                 \
    f(fgetc, int, EOF, (FILE *file), file, (file))                                                  \
    f(getc, int, EOF, (FILE *file), file, (file))                                                   \
    f(fputc, int, EOF, (int c, FILE *file), file, (c, file))                                        \
    f(putc, int, EOF, (int c, FILE *file), file, (c, file))                                         \
    f(ungetc, int, EOF, (int c, FILE *file), file, (c, file))                                       \
    f(fgetwc, wint_t, WEOF, (FILE *file), file, (file))                                             \
    f(fputwc, wint_t, WEOF, (wchar_t c, FILE *file), file, (c, file))                               \
    f(fflush, int, EOF, (FILE *file), file, (file))                                                 \
    f(fseek, int, -1, (FILE *file, long at, int whence), file, (file, at, whence))                  \
    f(ftell, long, -1, (FILE *file), file, (file))                                                  \
    f(feof, int, 1, (FILE *file), file, (file))                                                     \
    f(ferror, int, 1, (FILE *file), file, (file))                                                   \
    f(fileno, int, -1, (FILE *file), file, (file))                                                  \
    f(getline, ssize_t, -1, (char **to, size_t *n, FILE *file), file, (to, n, file))                \
    f(getdelim, ssize_t, -1, (char **to, size_t *n, int end, FILE *file), file, (to, n, end, file)) \
    f(pclose, int, -1, (FILE *file), file, (file))                                                  \
    f(readdir, struct dirent *, NULL, (DIR *folder), folder, (folder))                              \
    f(closedir, int, -1, (DIR *folder), folder, (folder))                                           \
    f(pthread_mutex_lock, int, EINVAL, (pthread_mutex_t *mutex), mutex, (mutex))                    \
    f(pthread_mutex_unlock, int, EINVAL, (pthread_mutex_t *mutex), mutex, (mutex))
#define VMMA_STREAMS_DECLARE(name, result, failure, parameters, object, arguments)                  \
    VMMA_HIDDEN result vmma_##name parameters;
VMMA_STREAMS(VMMA_STREAMS_DECLARE)
#define VMMA_STREAMS_VOID(f)                                                                        \
    f(rewind, (FILE *file), (file))                                                                 \
    f(clearerr, (FILE *file), (file))
VMMA_STREAMS_VOID(VMMA_VOID_DECLARE)

/* paths.c: f(name, result, parameters, text, another or NULL, arguments) */
#define VMMA_PATHS(f)                                                                               \
    f(fopen, FILE *, (const char *path, const char *mode), path, mode, (path, mode))                \
    f(opendir, DIR *, (const char *path), path, NULL, (path))                                       \
    f(access, int, (const char *path, int mode), path, NULL, (path, mode))                          \
    f(unlink, int, (const char *path), path, NULL, (path))                                          \
    f(remove, int, (const char *path), path, NULL, (path))                                          \
    f(rename, int, (const char *from, const char *to), from, to, (from, to))                        \
    f(mkdir, int, (const char *path, mode_t mode), path, NULL, (path, mode))                        \
    f(rmdir, int, (const char *path), path, NULL, (path))                                           \
    f(chdir, int, (const char *path), path, NULL, (path))                                           \
    f(getenv, char *, (const char *name), name, NULL, (name))                                       \
    f(setenv, int, (const char *name, const char *value, int over), name, value, (name, value, over)) \
    f(putenv, int, (char *text), text, NULL, (text))                                                \
    f(system, int, (const char *command), command, NULL, (command))
#define VMMA_PATHS_DECLARE(name, result, parameters, text, more, arguments)                         \
    VMMA_HIDDEN result vmma_##name parameters;
VMMA_PATHS(VMMA_PATHS_DECLARE)
#define VMMA_OTHERS(f)                                                                              \
    f(open, int, (const char *path, int flags, mode_t mode), )                                      \
    f(stat, int, (const char *path, struct stat *to), )                                             \
    f(lstat, int, (const char *path, struct stat *to), )                                            \
    f(fstat, int, (int fd, struct stat *to), )                                                      \
    f(poll, int, (struct pollfd *fds, nfds_t n, int timeout), )                                     \
    f(strftime, size_t, (char *to, size_t n, const char *format, const struct tm *tm), )            \
    f(inet_ntop, const char *, (int family, const void *from, char *to, socklen_t n), )
VMMA_OTHERS(VMMA_STRINGS_DECLARE)

/* streamed.c: f(name, symbol, type) for std::ostream's operator<<(type), and its _M_insert(type), which the former
 * becomes where it is compiled in line; and f(name, symbol, result, parameters) for
 * what takes std::string, or characters and their number. */
#define VMMA_PUT_NUMBERS(f)                                                                         \
    f(int, "_ZNSolsEi", int)                                                                        \
    f(unsigned, "_ZNSolsEj", unsigned)                                                              \
    f(long, "_ZNSolsEl", long)                                                                      \
    f(ulong, "_ZNSolsEm", unsigned long)                                                            \
    f(longlong, "_ZNSolsEx", long long)                                                             \
    f(ulonglong, "_ZNSolsEy", unsigned long long)                                                   \
    f(double, "_ZNSolsEd", double)                                                                  \
    f(float, "_ZNSolsEf", float)                                                                    \
    f(inserted_long, "_ZNSo9_M_insertIlEERSoT_", long)                                              \
    f(inserted_ulong, "_ZNSo9_M_insertImEERSoT_", unsigned long)                                    \
    f(inserted_longlong, "_ZNSo9_M_insertIxEERSoT_", long long)                                     \
    f(inserted_ulonglong, "_ZNSo9_M_insertIyEERSoT_", unsigned long long)                           \
    f(inserted_double, "_ZNSo9_M_insertIdEERSoT_", double)
#define VMMA_CXXSTRING "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE"
#define VMMA_PUT_STRINGS(f)                                                                         \
    f(put_string,                                                                                   \
      "_ZStlsIcSt11char_traitsIcESaIcEERSt13basic_ostreamIT_T0_ES7_RKNSt7__cxx1112basic_stringIS4_S5_T1_EE", \
      void *, (void *stream, const void *string))                                                   \
    f(put_text, "_ZSt16__ostream_insertIcSt11char_traitsIcEERSt13basic_ostreamIT_T0_ES6_PKS3_l", void *, \
      (void *stream, const char *text, long n))                                                     \
    f(copy_string, VMMA_CXXSTRING "C1ERKS4_", void, (void *to, const void *from))                   \
    f(become_string, VMMA_CXXSTRING "aSERKS4_", void *, (void *to, const void *from))                \
    f(assign_string, VMMA_CXXSTRING "9_M_assignERKS4_", void, (void *to, const void *from))
#define VMMA_PUT_STRINGS_DECLARE(name, symbol, result, parameters)                                  \
    extern result vmma_libc_##name parameters __asm__(symbol) __attribute__((weak));                \
    VMMA_HIDDEN result vmma_##name parameters;
#define VMMA_PUT_NUMBERS_DECLARE(name, symbol, type)                                                \
    VMMA_PUT_STRINGS_DECLARE(put_##name, symbol, void *, (void *stream, type v))
VMMA_PUT_NUMBERS(VMMA_PUT_NUMBERS_DECLARE)
VMMA_PUT_STRINGS(VMMA_PUT_STRINGS_DECLARE)
/* formatted.c: a fraction is printed; value as in vmdg_printed(). */
VMMA_HIDDEN void vmma_fraction(double v, size_t value, const char *call);

/* numbers.c: integers in strings, f(name, result), all with the parameters of strtol().  glibc's headers since
 * 2.38 make them functions of C23 under other symbols, __isoc23_strtol() and so on, for which "0b1" is 1: each
 * is named by its symbol here, so that a program gets the one that it was compiled for.  A libc that lacks
 * the latter has NULL there. */
#define VMMA_NUMBERS(f)                                                                             \
    f(strtol, long)                                                                                 \
    f(strtoul, unsigned long)                                                                       \
    f(strtoll, long long)                                                                           \
    f(strtoull, unsigned long long)
#define VMMA_NUMBERS_DECLARE(name, result)                                                          \
    extern result vmma_libc_##name(const char *s, char **end, int base) __asm__(#name);             \
    extern result vmma_libc23_##name(const char *s, char **end, int base)                           \
        __asm__("__isoc23_" #name) __attribute__((weak));                                           \
    VMMA_HIDDEN result vmma_##name(const char *s, char **end, int base);                            \
    VMMA_HIDDEN result vmma_c23_##name(const char *s, char **end, int base);
VMMA_NUMBERS(VMMA_NUMBERS_DECLARE)

/* An integer is read in this base. */
VMMA_HIDDEN void vmma_based(const char *s, int base, const char *call);

/* Two strings are compared, n elements at most: told is one that is compared beyond its block. */
VMMA_HIDDEN void vmma_compared(const char *a, const char *b, size_t n, const char *call);

#endif
