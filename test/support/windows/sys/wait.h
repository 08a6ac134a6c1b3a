/* SPDX-License-Identifier: MIT */
/* There are no child processes: a test that asks for one is skipped; see posix.h. */
#ifndef TEST_WAIT_H
#define TEST_WAIT_H 1

#include <sys/types.h>

static inline pid_t posix_nofork(void) { return -1; }
#define fork() (skip(), posix_nofork())
static inline pid_t waitpid(pid_t pid, int *status, int flags)
{
    (void)pid, (void)flags;
    *status = 0;
    return -1;
}
#define WIFEXITED(status) ((status) == 0)
#define WEXITSTATUS(status) (status)
#define WIFSIGNALED(status) ((status) != 0)
#define WTERMSIG(status) (status)

#endif
