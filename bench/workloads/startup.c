/* SPDX-License-Identifier: MIT */
/* Start-up: runs a trivial program, itself with an argument, many times, one after the other. */
#include "work.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
    char child[] = "child", *arguments[] = {argv[0], child, NULL};
    long i, times = scale_of(argc, argv, 1, 500);
    int status;
    pid_t pid;

    if (argc > 1 && strcmp(argv[1], child) == 0) {
        free(block(100));
        return 0;
    }
    for (i = 0; i < times; i++) {
        if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, arguments, environ) != 0)
            give_up("the program could not be started");
        if (waitpid(pid, &status, 0) < 0 || status != 0)
            give_up("the program failed");
    }
    printf("%ld starts\n", times);
    return 0;
}
