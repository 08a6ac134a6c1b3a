/* SPDX-License-Identifier: MIT */
/* fence: memcpy(): write past the end: 4 bytes, 0 bytes behind a block of 12 bytes */
/* guard: same */
#include "_crime.h"

/* What memcpy() becomes with _FORTIFY_SOURCE; a libc may lack it. */
void *__memcpy_chk(void *to, const void *from, size_t n, size_t room) __attribute__((weak));

void crime(int right)
{
    char *p = block(12);
    size_t n = number(right ? 12 : 16);
    if (__memcpy_chk != NULL)
        __memcpy_chk(p, "sixteen letters", n, (size_t)-1);
    else
        memcpy(p, "sixteen letters", n);
    free(p);
}
