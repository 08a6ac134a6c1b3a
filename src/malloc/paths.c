/* SPDX-License-Identifier: MIT */
/*
 * paths: names that go to the system, and what comes back.  The kernel does not stop at memory that is not there, as
 * a program does: it says EFAULT, or ENOENT of a name that somebody else wrote.
 */
#define _GNU_SOURCE 1
#include "books.h"
#include "checked.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ALL ((size_t)-1)

static void name_of(const char *s, const char *call)
{
    if (s != NULL)
        vmma_length(s, ALL, call);
}

#define DEFINE(name, result, parameters, text, more, arguments)                                     \
    result vmma_##name parameters                                                                   \
    {                                                                                               \
        name_of(text, #name);                                                                       \
        name_of(more, #name);                                                                       \
        return name arguments;                                                                      \
    }
VMMA_PATHS(DEFINE)

/* Who gives no mode gives anything: libc reads it where it is one. */
int vmma_open(const char *path, int flags, mode_t mode)
{
    name_of(path, "open");
    return open(path, flags, mode);
}

int vmma_stat(const char *path, struct stat *to)
{
    name_of(path, "stat");
    vmdg_access(to, sizeof *to, 1, "stat");
    return stat(path, to);
}

int vmma_lstat(const char *path, struct stat *to)
{
    name_of(path, "lstat");
    vmdg_access(to, sizeof *to, 1, "lstat");
    return lstat(path, to);
}

int vmma_fstat(int fd, struct stat *to)
{
    vmdg_access(to, sizeof *to, 1, "fstat");
    return fstat(fd, to);
}

int vmma_poll(struct pollfd *fds, nfds_t n, int timeout)
{
    size_t total;
    if (!vmb_mulover(n, sizeof *fds, &total))
        vmdg_access(fds, total, 1, "poll");
    return poll(fds, n, timeout);
}

/* ---- texts of which it is known how long they are when they are there ---- */

size_t vmma_strftime(char *to, size_t n, const char *format, const struct tm *tm)
{
    size_t (*const real)(char *, size_t, const char *, const struct tm *) = strftime; /* any format */
    size_t len;
    name_of(format, "strftime");
    vmdg_access(to, n != 0, 1, "strftime");
    len = real(to, n, format, tm);
    if (len != 0)
        vmdg_access(to, len + 1, 1, "strftime");
    return len;
}

const char *vmma_inet_ntop(int family, const void *from, char *to, socklen_t n)
{
    const char *text;
    vmdg_access(from, family == AF_INET ? 4 : 16, 0, "inet_ntop");
    vmdg_access(to, n != 0, 1, "inet_ntop");
    text = inet_ntop(family, from, to, n);
    if (text != NULL)
        vmdg_access(to, strlen(text) + 1, 1, "inet_ntop");
    return text;
}
