/* SPDX-License-Identifier: MIT */
/* A second process of a program that is named by its path; see posix.h. */
#ifndef TEST_SPAWN_H
#define TEST_SPAWN_H 1

#include <stdlib.h>
#include <sys/types.h>

/* Without actions and attributes; *pid is good for waitpid() alone. */
int posix_spawn(pid_t *pid, const char *path, const void *actions, const void *attributes, char *const *args,
                char *const *environment);

#endif
