/* SPDX-License-Identifier: MIT */
/*
 * checked: mem*, str*, wcs*, read, write and some more with their ranges looked up before they run.
 *
 * Nothing of this is exported.  When Vmdebug is on, the words through which modules call these
 * functions are changed (vmos_patch()); when it is off nothing is different at all.  Calls within
 * libc, and those that the compiler made into instructions, are not seen; a module that is loaded
 * later is changed soon after.  A function does what libc's does, after the check, errors or not.
 *
 * sigaction() and signal() are here because the handler of faults must stay in front.
 */
#define _GNU_SOURCE 1
#include "checked.h"
#include "books.h"
#include "malloc.h"
#include "os_debug.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#define READS(p, n) vmdg_access(p, n, 0, __func__ + 2)
#define WRITES(p, n) vmdg_access(p, n, 1, __func__ + 2)
#define NOOVERLAP(to, from, n) vmdg_overlapping(to, from, n, __func__ + 2)

/* ---- memory ---- */

static void *c_memcpy(void *to, const void *from, size_t n)
{
    READS(from, n);
    WRITES(to, n);
    NOOVERLAP(to, from, n);
    return memmove(to, from, n);
}

static void *c_mempcpy(void *to, const void *from, size_t n)
{
    READS(from, n);
    WRITES(to, n);
    NOOVERLAP(to, from, n);
    return (char *)memmove(to, from, n) + n;
}

static void *c_memmove(void *to, const void *from, size_t n)
{
    READS(from, n);
    WRITES(to, n);
    return memmove(to, from, n);
}

static void *c_memset(void *to, int c, size_t n)
{
    WRITES(to, n);
    return memset(to, c, n);
}

/* Whether the ranges are equal decides how far they are read: only what is surely read is looked up. */
static int c_memcmp(const void *a, const void *b, size_t n)
{
    READS(a, n);
    READS(b, n);
    return memcmp(a, b, n);
}

/* ---- strings ---- */

size_t vmma_length(const char *s, size_t n, const char *call)
{
    size_t room = vmdg_room(s), len;
    if (VMOS_UNLIKELY(room == (size_t)-1))
        vmdg_access(s, n != 0, 0, call); /* a freed one, before strnlen() comes to it */
    len = strnlen(s, VMB_MIN(room, n));
    if (VMOS_UNLIKELY(len == room && len < n))
        vmdg_access(s, len + 1, 0, call);
    return len;
}
#define LENGTH(s) vmma_length(s, (size_t)-1, __func__ + 2)

static size_t c_strlen(const char *s)
{
    LENGTH(s);
    return strlen(s);
}

static size_t c_strnlen(const char *s, size_t n)
{
    vmma_length(s, n, __func__ + 2);
    return strnlen(s, n);
}

static char *c_strcpy(char *to, const char *from)
{
    size_t n = LENGTH(from) + 1;
    WRITES(to, n);
    NOOVERLAP(to, from, n);
    return strcpy(to, from);
}

static char *c_stpcpy(char *to, const char *from)
{
    size_t n = LENGTH(from) + 1;
    WRITES(to, n);
    NOOVERLAP(to, from, n);
    return stpcpy(to, from);
}

/* n bytes are written, and read but for what comes behind the 0. */
void vmma_padded(char *to, const char *from, size_t n, const char *call)
{
    size_t len = vmma_length(from, n, call);
    vmdg_access(to, n, 1, call);
    vmdg_overlapping(to, from, to < from ? n : VMB_MIN(len + 1, n), call);
}

static char *c_strncpy(char *to, const char *from, size_t n)
{
    vmma_padded(to, from, n, __func__ + 2);
    return strncpy(to, from, n);
}

static char *c_strcat(char *to, const char *from)
{
    size_t had = LENGTH(to), n = LENGTH(from) + 1;
    WRITES(to + had, n);
    NOOVERLAP(to + had, from, n);
    return strcat(to, from);
}

/* The text that is there counts with what comes behind it: a part of it is not to be appended to it. */
void vmma_lengthened(char *to, const char *from, size_t n, const char *call)
{
    size_t had = vmma_length(to, (size_t)-1, call), len = vmma_length(from, n, call);
    vmdg_access(to + had, len + 1, 1, call);
    vmdg_overlapping(to, from, to < from && n != 0 ? had + len + 1 : VMB_MIN(len + 1, n), call);
}

static char *c_strncat(char *to, const char *from, size_t n)
{
    vmma_lengthened(to, from, n, __func__ + 2);
    return strncat(to, from, n);
}

static char *c_strchr(const char *s, int c)
{
    size_t room = vmdg_room(s);
    if (room == (size_t)-1 || memchr(s, c, room) == NULL)
        LENGTH(s);
    return strchr(s, c);
}

static char *c_strrchr(const char *s, int c)
{
    LENGTH(s);
    return strrchr(s, c);
}

static int c_strcmp(const char *a, const char *b)
{
    vmma_compared(a, b, (size_t)-1, __func__ + 2);
    return strcmp(a, b);
}

static int c_puts(const char *s)
{
    vmma_text(s, (size_t)-1, VMDG_TEXT, __func__ + 2);
    return puts(s);
}

static int c_fputs(const char *s, FILE *f)
{
    vmma_text(s, (size_t)-1, VMDG_TEXT, __func__ + 2);
    if (vmma_isgone(f, __func__ + 2))
        return EOF;
    return fputs(s, f);
}

/* ---- wide strings ---- */

size_t vmma_wlength(const wchar_t *s, size_t n, const char *call)
{
    size_t room = vmdg_room(s), most = room == (size_t)-1 ? room : room / sizeof(*s);
    size_t len;
    if (VMOS_UNLIKELY(room == (size_t)-1))
        vmdg_access(s, n != 0, 0, call);
    len = wcsnlen(s, VMB_MIN(most, n));
    if (VMOS_UNLIKELY(len == most && len < n))
        vmdg_access(s, (len + 1) * sizeof(*s), 0, call);
    return len;
}
#define WLENGTH(s) vmma_wlength(s, (size_t)-1, __func__ + 2)
#define WIDE VMMA_WIDE

static size_t c_wcslen(const wchar_t *s)
{
    WLENGTH(s);
    return wcslen(s);
}

static wchar_t *c_wcscpy(wchar_t *to, const wchar_t *from)
{
    size_t n = WIDE(WLENGTH(from) + 1);
    WRITES(to, n);
    NOOVERLAP(to, from, n);
    return wcscpy(to, from);
}

static wchar_t *c_wcsncpy(wchar_t *to, const wchar_t *from, size_t n)
{
    vmma_wlength(from, n, __func__ + 2);
    WRITES(to, WIDE(n));
    return wcsncpy(to, from, n);
}

static wchar_t *c_wcscat(wchar_t *to, const wchar_t *from)
{
    size_t had = WLENGTH(to), n = WIDE(WLENGTH(from) + 1);
    WRITES(to + had, n);
    return wcscat(to, from);
}

static wchar_t *c_wcsncat(wchar_t *to, const wchar_t *from, size_t n)
{
    size_t had = WLENGTH(to), len = vmma_wlength(from, n, __func__ + 2);
    WRITES(to + had, WIDE(len + 1));
    return wcsncat(to, from, n);
}

static wchar_t *c_wmemcpy(wchar_t *to, const wchar_t *from, size_t n)
{
    READS(from, WIDE(n));
    WRITES(to, WIDE(n));
    NOOVERLAP(to, from, WIDE(n));
    return wmemmove(to, from, n);
}

static wchar_t *c_wmemmove(wchar_t *to, const wchar_t *from, size_t n)
{
    READS(from, WIDE(n));
    WRITES(to, WIDE(n));
    return wmemmove(to, from, n);
}

static wchar_t *c_wmemset(wchar_t *to, wchar_t c, size_t n)
{
    WRITES(to, WIDE(n));
    return wmemset(to, c, n);
}

/* ---- input and output ---- */

static ssize_t c_read(int fd, void *to, size_t n)
{
    WRITES(to, n);
    return read(fd, to, n);
}

static ssize_t c_write(int fd, const void *from, size_t n)
{
    READS(from, n);
    return write(fd, from, n);
}

static ssize_t c_recv(int fd, void *to, size_t n, int flags)
{
    WRITES(to, n);
    return recv(fd, to, n, flags);
}

static ssize_t c_send(int fd, const void *from, size_t n, int flags)
{
    READS(from, n);
    return send(fd, from, n, flags);
}

static size_t c_fread(void *to, size_t size, size_t n, FILE *f)
{
    size_t total;
    if (!vmb_mulover(size, n, &total))
        WRITES(to, total);
    if (vmma_isgone(f, __func__ + 2))
        return 0;
    return fread(to, size, n, f);
}

static size_t c_fwrite(const void *from, size_t size, size_t n, FILE *f)
{
    size_t total;
    if (!vmb_mulover(size, n, &total))
        READS(from, total);
    if (vmma_isgone(f, __func__ + 2))
        return 0;
    return fwrite(from, size, n, f);
}

static char *c_fgets(char *to, int n, FILE *f)
{
    if (n > 0)
        WRITES(to, (size_t)n);
    if (vmma_isgone(f, __func__ + 2))
        return NULL;
    return fgets(to, n, f);
}

/* ---- signals of faults ---- */

static int c_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
    return vmos_fault_action(sig, act, old) == 0 ? 0 : sigaction(sig, act, old);
}

static sighandler_t c_signal(int sig, sighandler_t handler)
{
    struct sigaction act = {.sa_flags = SA_RESTART}, old;
    act.sa_handler = handler;
    return vmos_fault_action(sig, &act, &old) == 0 ? old.sa_handler : signal(sig, handler);
}

/* ---- modules that come later ----
 * The loader looks at who calls, so these end in a jump and not in a call: through a pointer, for i386 calls
 * what is in another module.  A module is complete when dlopen() has returned; the next thing is a dlsym() as a
 * rule. */

static int changed;
static void patch(void);

#pragma weak dlopen
#pragma weak dlsym

VMOS_JUMPS static void *c_dlopen(const char *name, int mode)
{
    void *(*next)(const char *, int) = dlopen;
    __asm__("" : "+r"(next));
    if (__atomic_exchange_n(&changed, 1, __ATOMIC_RELAXED))
        patch();
    VMOS_JUMP next(name, mode);
}

VMOS_JUMPS static void *c_dlsym(void *handle, const char *name)
{
    void *(*next)(void *, const char *) = dlsym;
    __asm__("" : "+r"(next));
    if (__atomic_exchange_n(&changed, 0, __ATOMIC_RELAXED))
        patch();
    VMOS_JUMP next(handle, name);
}

#define ENTRY(f) {#f, (void *)(uintptr_t)c_##f, (void *)(uintptr_t)f}
#define FORTIFIED(name, result, parameters, arguments)                                              \
    {"__" #name "_chk", (void *)(uintptr_t)vmma_##name##_chk, (void *)(uintptr_t)__##name##_chk},
#define FORMATTED(name, parameters, arguments)                                                      \
    {#name, (void *)(uintptr_t)vmma_##name, (void *)(uintptr_t)name},                               \
    {"v" #name, (void *)(uintptr_t)vmma_v##name, (void *)(uintptr_t)v##name},
#define FORMATTED_CHK(name, parameters, arguments)                                                  \
    {"__" #name "_chk", (void *)(uintptr_t)vmma_##name##_chk, (void *)(uintptr_t)__##name##_chk},   \
    {"__v" #name "_chk", (void *)(uintptr_t)vmma_v##name##_chk, (void *)(uintptr_t)__v##name##_chk},
#define STRINGS(name, result, parameters, arguments)                                                \
    {#name, (void *)(uintptr_t)vmma_##name, (void *)(uintptr_t)name},
#define NUMBERS(name, result)                                                                       \
    {#name, (void *)(uintptr_t)vmma_##name, (void *)(uintptr_t)vmma_libc_##name},                   \
    {"__isoc23_" #name, (void *)(uintptr_t)vmma_c23_##name, (void *)(uintptr_t)vmma_libc23_##name},
#define SCANNED_ONE(prefix, symbol, name)                                                           \
    {symbol #name, (void *)(uintptr_t)vmma_##prefix##name, (void *)(uintptr_t)vmma_libc_##prefix##name}, \
    {symbol "v" #name, (void *)(uintptr_t)vmma_##prefix##v##name,                                   \
     (void *)(uintptr_t)vmma_libc_##prefix##v##name},
#define SCANNED(name, parameters, arguments)                                                        \
    SCANNED_ONE(, "", name)                                                                         \
    SCANNED_ONE(c99_, "__isoc99_", name)                                                            \
    SCANNED_ONE(c23_, "__isoc23_", name)
#define WORDS_VOID(name, parameters, arguments) STRINGS(name, , , )
#define STREAMS(name, result, failure, parameters, object, arguments) STRINGS(name, , , )
#define PATHS(name, result, parameters, text, more, arguments) STRINGS(name, , , )
#define PUT_STRINGS(name, symbol, result, parameters)                                               \
    {symbol, (void *)(uintptr_t)vmma_##name, (void *)(uintptr_t)vmma_libc_##name},
#define PUT_NUMBERS(name, symbol, type) PUT_STRINGS(put_##name, symbol, , )
/* The first two are for faults, which every level tells of. */
static const vmos_patch_t patches[] = {
    ENTRY(sigaction), ENTRY(signal),
    ENTRY(memcpy),    ENTRY(mempcpy),  ENTRY(memmove),  ENTRY(memset),   ENTRY(memcmp),
    ENTRY(strlen),    ENTRY(strnlen),  ENTRY(strcpy),   ENTRY(stpcpy),   ENTRY(strncpy),
    ENTRY(strcat),    ENTRY(strncat),  ENTRY(strchr),   ENTRY(strrchr),  ENTRY(strcmp),
    ENTRY(puts),      ENTRY(fputs),    ENTRY(wcslen),   ENTRY(wcscpy),   ENTRY(wcsncpy),
    ENTRY(wcscat),    ENTRY(wcsncat),  ENTRY(wmemcpy),  ENTRY(wmemmove), ENTRY(wmemset),
    ENTRY(read),      ENTRY(write),    ENTRY(recv),     ENTRY(send),     ENTRY(fread),
    ENTRY(fwrite),    ENTRY(fgets),    ENTRY(dlopen),   ENTRY(dlsym),
    VMMA_FORTIFIED(FORTIFIED)
    VMMA_FORMATTED(FORMATTED)
    VMMA_FORMATTED_CHK(FORMATTED_CHK)
    VMMA_SCANNED(SCANNED)
    VMMA_STRINGS(STRINGS)
    VMMA_NUMBERS(NUMBERS)
    VMMA_WORDS(STRINGS)
    VMMA_WORDS_VOID(WORDS_VOID)
    VMMA_STREAMS(STREAMS)
    VMMA_STREAMS_VOID(WORDS_VOID)
    VMMA_PATHS(PATHS)
    VMMA_OTHERS(STRINGS)
    VMMA_PUT_NUMBERS(PUT_NUMBERS)
    VMMA_PUT_STRINGS(PUT_STRINGS)
};
#define NPATCHES (sizeof patches / sizeof *patches)

static void patch(void)
{
    vmos_patch(patches, vmdg_options.level == VMDG_SAMPLE ? 2 : NPATCHES);
}

void vmma_checked_begin(void)
{
    patch();
}
