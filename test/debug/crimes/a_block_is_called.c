/* SPDX-License-Identifier: MIT */
/* both 139: jump to 0x[0-9a-f]*, where no code is: in a block */
#include "_crime.h"

static void nothing(void)
{
}

void crime(int right)
{
    char *p = block(42);
    void (*f)(void) = nothing;
    if (!right)
        memcpy(&f, &p, sizeof f);
    f();
    free(p);
}
