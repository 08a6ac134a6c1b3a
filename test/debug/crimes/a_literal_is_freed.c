/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): not a block: constant data */
#include "_crime.h"

void crime(int right)
{
    free(right ? NULL : hide((void *)"a literal"));
}
