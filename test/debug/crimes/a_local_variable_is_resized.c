/* SPDX-License-Identifier: MIT */
/* both: realloc(0x[0-9a-f]*): not a block: stack of */
#include "_crime.h"

void crime(int right)
{
    char local[64] = {0};
    if (!right && realloc(hide(local + 16), 100) != NULL)
        exit(1);
}
