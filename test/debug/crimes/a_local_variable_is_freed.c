/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): not a block: stack of */
#include "_crime.h"

void crime(int right)
{
    char local[64];
    free(right ? NULL : hide(local + 16));
}
