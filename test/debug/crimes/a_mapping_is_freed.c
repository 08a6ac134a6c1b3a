/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): not a block: a mapping of the system */
#include "_crime.h"

void crime(int right)
{
    char *p = (char *)mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!right)
        free(hide(p));
    munmap(p, 65536);
}
