/* SPDX-License-Identifier: MIT */
/*
 * What is the same on every Unix: the exact clock, the process, output.
 *
 * write() and open() are cancellation points, an allocation is none: a thread that were cancelled
 * in a message would leave locks held.  So cancelling waits meanwhile.
 */
#define _DEFAULT_SOURCE 1
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

uint64_t vmos_nanotime(void)
{
    struct timespec t = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t vmos_threadtime(void)
{
    struct timespec t = {0, 0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t vmos_walltime(void)
{
    struct timespec t = {0, 0};
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

long vmos_pid(void)
{
    return (long)getpid();
}

long vmos_parent(void)
{
    return (long)getppid();
}

int vmos_onsignal(int signal, void (*f)(int))
{
    struct sigaction a = {.sa_handler = f, .sa_flags = SA_RESTART};
    sigemptyset(&a.sa_mask);
    return sigaction(signal, &a, NULL);
}

unsigned long vmos_uid(void)
{
    return (unsigned long)geteuid();
}

static int writeall(int fd, const char *p, size_t n)
{
    int keep = errno;
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR)
            return -1;
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
    errno = keep;
    return 0;
}

int vmos_write(int fd, const void *buf, size_t n)
{
    int state, r;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    r = writeall(fd, buf, n);
    pthread_setcancelstate(state, &state);
    return r;
}

/* Out of the way of programs that count on getting descriptor 3 next. */
int vmos_copyfd(int fd)
{
    static const int least[] = {1000, 200, 50};
    int high = -1, keep = errno;
    for (int i = 0; i < 3 && high < 0; i++)
        high = fcntl(fd, F_DUPFD_CLOEXEC, least[i]);
    if (high >= 0)
        errno = keep;
    return high;
}

/* fd itself if the limits of the process leave no room. */
static int movehigh(int fd)
{
    int high = vmos_copyfd(fd);
    if (high < 0)
        return fd;
    close(fd);
    return high;
}

int vmos_create(const char *path)
{
    int fd, state, keep = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    do
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    while (fd < 0 && errno == EINTR);
    if (fd >= 0) {
        fd = movehigh(fd);
        errno = keep;
    }
    pthread_setcancelstate(state, &state);
    return fd;
}

void vmos_abort(void)
{
    abort();
}
