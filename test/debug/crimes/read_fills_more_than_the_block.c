/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 4 bytes, 0 bytes behind a block of 60 bytes */
/* guard: same\|write past the end: .* a block of 60 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(60), text[64] = {1};
    int fd[2];
    if (pipe(fd) != 0 || write(fd[1], text, 64) != 64)
        exit(1);
    if (read(fd[0], p, number(right ? 60 : 64)) < 60)
        exit(1);
    free(p);
}
