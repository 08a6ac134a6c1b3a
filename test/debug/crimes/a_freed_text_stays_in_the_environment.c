/* SPDX-License-Identifier: MIT */
/* guard: use after free: read, at offset 0 of a freed block of 13 bytes */
#include "_crime.h"

void crime(int right)
{
    char *text = (char *)hide(strdup("A_VARIABLE=1"));
    putenv(text);
    if (right)
        unsetenv("A_VARIABLE");
    free(text);
    getenv("ANOTHER_VARIABLE");
}
