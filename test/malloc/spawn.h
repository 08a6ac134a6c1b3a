/* SPDX-License-Identifier: MIT */
/*
 * Children of a test: the program runs itself again, with other options of malloc and the name of
 * what it is to do as its argument, and looks at how that ended and what it said.
 */
#ifndef TEST_MALLOC_SPAWN_H
#define TEST_MALLOC_SPAWN_H 1

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct child {
    pid_t pid;
    int status;      /* as waitpid() tells */
    char said[4096]; /* on standard error */
} child_t;

static inline void spawn_body(const char *what, const char *name, const char *value, int fd)
{
    static char program[] = "/proc/self/exe";
    struct rlimit none = {0, 0};
    char *args[] = {program, strdup(what), NULL};
    setrlimit(RLIMIT_CORE, &none);
    unsetenv("VMALLOC_OPTIONS");
    unsetenv("VMETHOD");
    if (name != NULL)
        setenv(name, value, 1);
    dup2(fd, 2);
    close(fd);
    execv(program, args);
    _exit(125);
}

static inline child_t spawn_with(const char *what, const char *name, const char *value)
{
    child_t c = {0, 0, ""};
    size_t n = 0;
    ssize_t got;
    int fds[2];
    if (pipe(fds) != 0)
        abort();
    fflush(NULL);
    c.pid = fork();
    if (c.pid == 0) {
        close(fds[0]);
        spawn_body(what, name, value, fds[1]);
    }
    close(fds[1]);
    while (n < sizeof c.said - 1 && (got = read(fds[0], c.said + n, sizeof c.said - 1 - n)) > 0)
        n += (size_t)got;
    c.said[n] = '\0';
    close(fds[0]);
    waitpid(c.pid, &c.status, 0);
    return c;
}

static inline child_t spawn(const char *what, const char *options)
{
    return spawn_with(what, options != NULL ? "VMALLOC_OPTIONS" : NULL, options);
}

static inline int spawn_aborted(const child_t *c)
{
    return WIFSIGNALED(c->status) && WTERMSIG(c->status) == SIGABRT;
}

static inline int spawn_succeeded(const child_t *c)
{
    return WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0;
}

/* Whether what the child said is "vmalloc(PID): " and then the pattern and a newline.  In the
 * pattern, # stands for a decimal and * for a hexadecimal number. */
static inline int spawn_said(const child_t *c, const char *pattern)
{
    static const char decimal[] = "0123456789", hex[] = "0123456789abcdef";
    char head[64];
    const char *s = c->said;
    snprintf(head, sizeof head, "vmalloc(%ld): ", (long)c->pid);
    if (strncmp(s, head, strlen(head)) != 0)
        return 0;
    s += strlen(head);
    for (; *pattern != '\0'; pattern++) {
        size_t n = *pattern == '#' ? strspn(s, decimal) : *pattern == '*' ? strspn(s, hex) : 1;
        if (n == 0 || (*pattern != '#' && *pattern != '*' && *s != *pattern))
            return 0;
        s += n;
    }
    return strcmp(s, "\n") == 0;
}

#endif
