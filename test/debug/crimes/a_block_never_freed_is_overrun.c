/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 0 bytes behind a block of 40 bytes, found by the check at the end */
/* guard: same */
#include "_crime.h"

static char *keep;

void crime(int right)
{
    keep = block(40);
    put(keep, right ? 39 : 40);
}
