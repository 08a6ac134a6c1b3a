/* SPDX-License-Identifier: MIT */
/* There are no child processes: a test that asks for one is skipped; see posix.h. */
#ifndef TEST_WAIT_H
#define TEST_WAIT_H 1

#include <sys/types.h>

static inline pid_t posix_nofork(void) { return -1; }
#define fork() (skip(), posix_nofork())
#define waitpid(pid, status, flags) ((void)(pid), *(status) = 0, (pid_t)-1)
#define WIFEXITED(status) ((status) == 0)
#define WEXITSTATUS(status) (status)
#define WIFSIGNALED(status) ((status) != 0)
#define WTERMSIG(status) (status)

#endif
