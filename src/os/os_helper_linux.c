/* SPDX-License-Identifier: MIT */
/*
 * A helper process that the program does not notice.
 *
 *   program --- between --- helper
 *
 * A child whose end sends no signal is found only by who waits for such children; but exec() makes
 * it an ordinary one again.  So the process between, made by clone() without a signal, stays a copy
 * of the program, has the helper as its own child, waits for it and ends.  Nobody is orphaned, and
 * nobody has to adopt.  When the process between is killed, the kernel kills the helper.
 *
 * After clone() only system calls are made: the program may have had other threads, inside libc.
 */
#define _GNU_SOURCE 1
#include "os_debug.h"
#include "os_stack.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGH 64 /* our descriptors are not below this one, where the system allows */

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* As fork(), but without its handlers, and with the signal given. */
static long copy(int signal_at_end)
{
    return syscall(SYS_clone, (long)signal_at_end, 0L, 0L, 0L, 0L);
}

/* ---- in the helper, before it is another program ---- */

static int unwanted(const char *variable)
{
    return strncmp(variable, "VM", 2) == 0 || strncmp(variable, "LD_PRELOAD=", 11) == 0 ||
           strncmp(variable, "LD_AUDIT=", 9) == 0 ||
           strncmp(variable, "DEBUGINFOD_URLS=", 16) == 0;
}

/* This process has a copy of the array to itself. */
static char **cleaned(char **variables)
{
    char **to = variables;
    if (variables == NULL)
        return NULL;
    for (char **v = variables; *v != NULL; v++)
        if (vmos_isvariable(*v) && !unwanted(*v))
            *to++ = *v;
    *to = NULL;
    return variables;
}

static void descriptors(int fd)
{
    int null = open("/dev/null", O_WRONLY);
    dup2(fd, 0);
    dup2(fd, 1);
    if (null >= 0)
        dup2(null, 2);
    else
        close(2);
    if (syscall(SYS_close_range, 3, ~0u, 0) != 0)
        for (int i = 3; i < 1024; i++)
            close(i);
}

static void signals(void)
{
    struct sigaction sa;
    sigset_t none;
    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = SIG_DFL;
    for (int i = 1; i < NSIG; i++)
        sigaction(i, &sa, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become(int fd, const char *const *paths, char *const *argv)
{
    char **variables = cleaned(environ);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signals();
    descriptors(fd);
    for (; *paths != NULL; paths++)
        execve(*paths, argv, variables);
    syscall(SYS_exit_group, 127); /* no sanitizer sees to the output of this copy */
}

/* ---- in the process between ---- */

static void between(int mine, int ours, const char *const *paths, char *const *argv)
{
    int status;
    long helper = copy(SIGCHLD);
    if (helper == 0) {
        close(mine);
        become(ours, paths, argv);
    }
    close(mine);
    close(ours);
    while (helper > 0 && waitpid((pid_t)helper, &status, 0) < 0 && errno == EINTR) {
    }
    syscall(SYS_exit_group, 0);
}

/* ---- in the program ---- */

/* Out of the way of the program's own numbers. */
static int high(int fd)
{
    int up = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);
    if (up < 0 && fd <= 2)
        up = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (up < 0)
        return fd;
    close(fd);
    return up;
}

int vmos_helper_start(vmos_helper_t *h, const char *const *paths, char *const *argv)
{
    sigset_t all, was;
    int fd[2], keep;
    if (getauxval(AT_SECURE) != 0) {
        errno = EPERM;
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
        return -1;
    fd[0] = high(fd[0]);
    fd[1] = high(fd[1]);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &was);
    h->pid = copy(0);
    if (h->pid == 0)
        between(fd[0], fd[1], paths, argv);
    keep = errno;
    sigprocmask(SIG_SETMASK, &was, NULL);
    close(fd[1]);
    h->fd = fd[0];
    if (h->pid > 0)
        return 0;
    close(fd[0]);
    errno = keep;
    return -1;
}

/* Wait until the descriptor can do what is wanted: 0, or -1 after the deadline. */
static int ready(int fd, short what, uint64_t deadline)
{
    for (;;) {
        uint64_t now = vmos_nanotime();
        struct pollfd p = {fd, what, 0};
        int r;
        if (now >= deadline) {
            errno = ETIMEDOUT;
            return -1;
        }
        r = poll(&p, 1, (int)((deadline - now) / 1000000u) + 1);
        if (r > 0)
            return 0;
        if (r < 0 && errno != EINTR)
            return -1;
    }
}

int vmos_helper_write(vmos_helper_t *h, const void *buf, size_t n, uint64_t deadline)
{
    const char *p = buf;
    while (n > 0) {
        ssize_t done;
        if (ready(h->fd, POLLOUT, deadline) != 0)
            return -1;
        done = send(h->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (done < 0 && errno != EINTR && errno != EAGAIN)
            return -1;
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
    return 0;
}

long vmos_helper_read(vmos_helper_t *h, void *buf, size_t n, uint64_t deadline)
{
    for (;;) {
        ssize_t got;
        if (ready(h->fd, POLLIN, deadline) != 0)
            return -1;
        got = recv(h->fd, buf, n, MSG_DONTWAIT);
        if (got >= 0)
            return got;
        if (errno != EINTR && errno != EAGAIN)
            return errno == ECONNRESET ? 0 : -1;
    }
}

void vmos_helper_stop(vmos_helper_t *h, uint64_t deadline)
{
    int keep = errno, status;
    char rest;
    shutdown(h->fd, SHUT_WR);
    if (vmos_helper_read(h, &rest, 1, deadline) != 0)
        kill((pid_t)h->pid, SIGKILL);
    close(h->fd);
    while (waitpid((pid_t)h->pid, &status, __WCLONE) < 0 && errno == EINTR) {
    }
    errno = keep;
}
