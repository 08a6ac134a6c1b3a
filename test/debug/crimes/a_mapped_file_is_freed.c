/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): not a block: a file that is mapped (/proc/\|a file that is mapped (/ */
#include "_crime.h"
#include <fcntl.h>

void crime(int right)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    char *p = (char *)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    if (!right)
        free(hide(p));
    munmap(p, 4096);
}
