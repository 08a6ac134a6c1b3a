/* SPDX-License-Identifier: MIT */
/* both: strcspn(): read past the end: 1 byte, 0 bytes behind a block of 8 bytes */
#include "_crime.h"

void crime(int right)
{
    char *p = block(8);
    memcpy(p, "abcdefgh", 8);
    if (strspn((char *)hide(p), "ab") != 2 || strpbrk((char *)hide(p), "zc") != p + 2)
        exit(1);
    if (memmem((char *)hide(p), number(100), "fg", 2) != p + 5)
        exit(1);
    if (strcspn((char *)hide(p), right ? "h" : "z") < 7)
        exit(1);
    free(p);
}
