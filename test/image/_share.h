/* SPDX-License-Identifier: MIT */
/* What the tests of shared images include. */
#ifndef TEST_IMAGE_SHARE_H
#define TEST_IMAGE_SHARE_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "share.h"

/* A name that no other test has, of a file that is not there. */
static inline const char *tempname(void)
{
    static char name[64];
    static int n;

    snprintf(name, sizeof name, "/tmp/vmalloc-share-%ld-%d", (long)getpid(), n++);
    unlink(name);
    return name;
}

/* Run f in a process of its own; its exit status, or minus its signal. */
static inline int inprocess(int (*f)(void *arg), void *arg)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(f(arg));
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

#endif
