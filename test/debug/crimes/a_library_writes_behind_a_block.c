/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 0 bytes behind a block of 50 bytes */
/* guard: same */
/* flags: _library.so */
#include "_crime.h"

void library_writes(char *p, long offset);

void crime(int right)
{
    char *p = block(50);
    library_writes(p, right ? 49 : 50);
    free(p);
}
