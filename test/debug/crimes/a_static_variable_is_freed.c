/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): not a block: static data */
#include "_crime.h"

void crime(int right)
{
    static char data[64];
    free(right ? NULL : hide(data + 16));
}
