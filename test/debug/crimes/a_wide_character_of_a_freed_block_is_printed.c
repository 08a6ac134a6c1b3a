/* SPDX-License-Identifier: MIT */
/* fence: printf(): use after free: value 1 of its format comes from a freed block */
/* guard: use after free: read, at offset 4 of a freed block of 16 bytes */
#include "_crime.h"

void crime(int right)
{
    wchar_t *p = (wchar_t *)(void *)block(4 * sizeof *p), text[2] = {0, 0};
    wmemset(p, L'x', 4);
    if (!right)
        free(p);
    text[0] = ((volatile wchar_t *)hide(p))[1];
    printf("%ls %lc\n", (wchar_t *)hide(text), (wint_t)L'y');
    if (right)
        free(p);
}
