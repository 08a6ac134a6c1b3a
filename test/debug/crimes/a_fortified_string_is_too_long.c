/* SPDX-License-Identifier: MIT */
/* fence: strcpy(): write past the end: 1 byte, 0 bytes behind a block of 10 bytes */
/* guard: same */
#include "_crime.h"

/* What strcpy() becomes with _FORTIFY_SOURCE; a libc may lack it. */
char *__strcpy_chk(char *to, const char *from, size_t room) __attribute__((weak));

void crime(int right)
{
    char *p = block(10), *from = (char *)hide((void *)(right ? "ninechars" : "ten--chars"));
    if (__strcpy_chk != NULL)
        __strcpy_chk(p, from, (size_t)-1);
    else
        strcpy(p, from);
    free(p);
}
