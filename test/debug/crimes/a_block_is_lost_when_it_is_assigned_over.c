/* SPDX-License-Identifier: MIT */
/* both: leak: 1 block of 70 bytes lost */
#include "_crime.h"

static char *keep;

void crime(int right)
{
    keep = block(70);
    if (right)
        free(keep);
    keep = block(80);
}
