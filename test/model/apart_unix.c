/* SPDX-License-Identifier: MIT */
/* Runs in a child process. */
#include "model.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seconds after which a run of n operations counts as failed: a thousandth would do on a quiet machine. */
#define HANGS(n) (20 + (unsigned)((n) / 1000))

static void tell(int fd, const char *message)
{
    size_t n = strlen(message);
    if (write(fd, message, n < 255 ? n : 255) < 0)
        _exit(3);
}

int run_apart(const setup_t *s, const op_t *ops, const size_t *keep, size_t n, char message[256])
{
    int fds[2], status = 0;
    ssize_t got;
    pid_t pid;
    if (pipe(fds) != 0)
        return -1;
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        const char *w;
        alarm(HANGS(n));
        w = run_ops(s, ops, keep, n);
        if (w != NULL)
            tell(fds[1], w);
        _exit(w != NULL);
    }
    close(fds[1]);
    got = read(fds[0], message, 255);
    message[got > 0 ? got : 0] = 0;
    close(fds[0]);
    while (waitpid(pid, &status, 0) < 0)
        continue;
    if (WIFSIGNALED(status))
        snprintf(message, 256, "%s", WTERMSIG(status) == SIGALRM ? "hangs" : strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) > 0 && message[0] == 0)
        snprintf(message, 256, "ends with status %d", WEXITSTATUS(status));
    return WIFSIGNALED(status) || WEXITSTATUS(status) ? -1 : 0;
}

int hush(void)
{
    int old = dup(2);
    if (freopen("/dev/null", "w", stderr) == NULL)
        return -1;
    return old;
}
