/* SPDX-License-Identifier: MIT */
/*
 * What Linux tells of the process, through /proc.  Nothing allocates; where /proc is not there, the
 * answer is 0 or empty.
 */
#define _GNU_SOURCE 1
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static size_t readall(const char *path, char *to, size_t size)
{
    size_t n = 0;
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && n < size && got > 0) {
        got = read(fd, to + n, size - n);
        n += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0)
        close(fd);
    return n;
}

static size_t readfile(const char *path, char *to, size_t size)
{
    int state, keep = errno;
    size_t n;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    n = readall(path, to, size);
    pthread_setcancelstate(state, &state);
    errno = keep;
    return n;
}

/* The second number of the line is pages in memory. */
size_t vmos_resident(void)
{
    char text[64];
    size_t n = readfile("/proc/self/statm", text, sizeof(text) - 1), i = 0, pages = 0;
    while (i < n && text[i] != ' ')
        i++;
    for (i++; i < n && text[i] >= '0' && text[i] <= '9'; i++)
        pages = pages * 10 + (size_t)(text[i] - '0');
    return pages * vmos_kernelpage();
}

size_t vmos_arguments(char *to, size_t size)
{
    return readfile("/proc/self/cmdline", to, size);
}

size_t vmos_program(char *to, size_t size)
{
    int keep = errno;
    ssize_t n = readlink("/proc/self/exe", to, size);
    errno = keep;
    return n > 0 ? (size_t)n : 0;
}
