/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): not a block: no memory of the process */
#include "_crime.h"

void crime(int right)
{
    free(right ? NULL : hide((void *)(uintptr_t)0x123456789000));
}
