/* SPDX-License-Identifier: MIT */
/* both: leak: 100 blocks of 1000 bytes lost: nothing leads to them */
#include "_crime.h"

void crime(int right)
{
    for (int i = 0; i < 100; i++) {
        char *p = block(10);
        put(p, 0);
        if (right)
            free(p);
    }
}
