/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): not a block: inside a block, at offset 16 of 50 bytes at 0x */
#include "_crime.h"

void crime(int right)
{
    char *p = block(50);
    if (!right)
        free(hide(p + 16));
    free(p);
}
