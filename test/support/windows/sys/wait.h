/* SPDX-License-Identifier: MIT */
/* There are no copies of processes: a test that asks for one is skipped; see posix.h.  What posix_spawn() made is
 * waited for. */
#ifndef TEST_WAIT_H
#define TEST_WAIT_H 1

#include <sys/types.h>

static inline pid_t posix_nofork(void) { return -1; }
#define fork() (skip(), posix_nofork())
pid_t waitpid(pid_t pid, int *status, int flags);
#define WIFEXITED(status) ((status) == 0)
#define WEXITSTATUS(status) (status)
#define WIFSIGNALED(status) ((status) != 0)
#define WTERMSIG(status) (status)

#endif
