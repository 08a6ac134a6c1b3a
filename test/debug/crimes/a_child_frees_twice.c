/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): double free: block of 50 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(50);
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        free(p);
        if (!right)
            free(hide(p));
        exit(0);
    }
    waitpid(pid, &status, 0);
    free(p);
    exit(WEXITSTATUS(status));
}
