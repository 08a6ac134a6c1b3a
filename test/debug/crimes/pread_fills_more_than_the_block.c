/* SPDX-License-Identifier: MIT */
/* fence: pread(): write past the end: 1 byte, 0 bytes behind a block of 15 bytes */
/* guard: same */
#include "_crime.h"
#include <fcntl.h>

void crime(int right)
{
    char *p = block(15);
    int fd = open("/dev/zero", O_RDONLY);
    if (fd < 0 || pread(fd, p, number(right ? 15 : 16), 0) < 0)
        p[0] = 0;
    close(fd);
    free(p);
}
