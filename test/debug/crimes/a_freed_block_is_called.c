/* SPDX-License-Identifier: MIT */
/* fence 139: jump to 0x[0-9a-f]*, where no code is: in a freed block */
/* guard 139: use after free: jump, at offset 0 of a freed block of 42 bytes */
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
    free(p);
    f();
}
