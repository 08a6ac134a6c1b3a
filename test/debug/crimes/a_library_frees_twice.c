/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): double free: block of 50 bytes */
/* flags: _library.so */
#include "_crime.h"

void library_frees(char *p, int times);

void crime(int right)
{
    library_frees(block(50), right ? 1 : 2);
}
