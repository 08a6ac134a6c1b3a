/* SPDX-License-Identifier: MIT */
/* both: stat(): write past the end: .* 0 bytes behind a block of 64 bytes */
#include "_crime.h"

#include <sys/stat.h>

void crime(int right)
{
    struct stat *s = (struct stat *)(void *)block(right ? sizeof *s : 64);
    stat("/", (struct stat *)hide(s));
    free(s);
}
