/* SPDX-License-Identifier: MIT */
/* both: open(): use after free: read of 1 byte, at offset 0 of a freed block of 10 bytes */
#include "_crime.h"

#include <fcntl.h>

void crime(int right)
{
    char *name = (char *)hide(strdup("/dev/null"));
    int fd;
    if (!right)
        free(name);
    fd = open((char *)hide(name), O_RDONLY);
    if (fd >= 0)
        close(fd);
    if (right)
        free(name);
}
