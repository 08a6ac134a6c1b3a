/* SPDX-License-Identifier: MIT */
/*
 * measure [-t SECONDS] [-p LIBRARY] [-m MIB] FILE PROGRAM ARGUMENTS...
 *
 * Runs a program, with LD_PRELOAD=LIBRARY if told so, and writes one line to FILE:
 *
 *     wall-seconds cpu-seconds peak-KiB minor-faults
 *
 * CPU time and faults are those of the program and of the children it waited for, peak memory that
 * of the largest of them.  A small program of its own, because a child's peak counts from before
 * its exec: forked from a shell or from Python it would start at their size.
 *
 * The exit status is the program's, 128 + n after signal n, 124 when it ran longer than SECONDS and
 * was killed with its process group, 125 for a failure of measure, 127 when exec failed.
 * -m touches so much memory and gives it back, for machines whose memory is slow the first time;
 * nothing else is then done.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    exit(125);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int touch(size_t mib)
{
    char *p = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t i;

    if (p == MAP_FAILED)
        fail("mmap");
    for (i = 0; i < mib << 20; i += 4096)
        p[i] = 1;
    return 0;
}

static pid_t start(char **argv, const char *library, const sigset_t *mask)
{
    pid_t pid = fork();

    if (pid < 0)
        fail("fork");
    if (pid > 0)
        return pid;
    setpgid(0, 0);
    sigprocmask(SIG_UNBLOCK, mask, NULL);
    if (library && *library)
        setenv("LD_PRELOAD", library, 1);
    execvp(argv[0], argv);
    fprintf(stderr, "measure: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Wait for the end of the child, of the time, or of us.  0, or the status to exit with. */
static int wait_for_end(pid_t pid, const sigset_t *mask, long limit)
{
    struct timespec rest = {limit, 0};
    int signal;

    do {
        signal = sigtimedwait(mask, NULL, &rest);
    } while (signal < 0 && errno == EINTR);
    if (signal == SIGCHLD)
        return 0;
    kill(-pid, SIGKILL);
    return signal < 0 ? 124 : 128 + signal;
}

static int measure(const char *file, const char *library, long limit, char **argv)
{
    struct rusage used;
    sigset_t mask;
    double began;
    pid_t pid;
    int status, killed;
    FILE *out = fopen(file, "we");

    if (!out)
        fail(file);
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGHUP);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    began = now();
    pid = start(argv, library, &mask);
    killed = wait_for_end(pid, &mask, limit);
    if (wait4(pid, &status, 0, &used) < 0)
        fail("wait4");
    fprintf(out, "%.6f %.6f %ld %ld\n", now() - began,
            seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss, used.ru_minflt);
    if (fclose(out) != 0)
        fail(file);
    if (killed)
        return killed;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    const char *library = NULL;
    long limit = 600;
    int c;

    while ((c = getopt(argc, argv, "+t:p:m:")) != -1) {
        if (c == 't')
            limit = atol(optarg);
        else if (c == 'p')
            library = optarg;
        else if (c == 'm')
            return touch(strtoul(optarg, NULL, 10));
        else
            return 125;
    }
    if (argc - optind < 2) {
        fputs("measure: needs a file and a program\n", stderr);
        return 125;
    }
    return measure(argv[optind], library, limit, argv + optind + 1);
}
