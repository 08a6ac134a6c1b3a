/* SPDX-License-Identifier: MIT */
/*
 * Runs in a child process, and the shrinking of a list that fails.
 *
 * Delta debugging (Zeller and Hildebrandt, 2002) in its simplest form: leave out stretches of half
 * the list, a quarter, ..., one operation, keep what still fails, until nothing can be left out.
 */
#include "model.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

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

/* Silence for the messages of the library and of sanitizers while shrinking. */
static int quiet(void)
{
    int old = dup(2);
    if (freopen("/dev/null", "w", stderr) == NULL)
        return -1;
    return old;
}

size_t shrink(const setup_t *s, const op_t *ops, size_t *keep, size_t n, unsigned seconds)
{
    time_t end = time(NULL) + (time_t)seconds;
    size_t *less = (size_t *)malloc((n + 1) * sizeof *less), chunk = n / 2, from, cut;
    char message[256];
    int old = quiet();
    while (chunk > 0 && time(NULL) < end) {
        cut = 0;
        for (from = 0; from < n && time(NULL) < end;) {
            size_t to = from + chunk < n ? from + chunk : n;
            memcpy(less, keep, from * sizeof *less);
            memcpy(less + from, keep + to, (n - to) * sizeof *less);
            if (run_apart(s, ops, less, n - (to - from), message) != 0) {
                n -= to - from;
                memcpy(keep, less, n * sizeof *less);
                cut++;
            } else
                from = to;
        }
        chunk = chunk > 1 ? (chunk < n ? chunk / 2 : n / 2) : cut ? 1 : 0;
    }
    free(less);
    if (old >= 0)
        dup2(old, 2);
    return n;
}
