/* SPDX-License-Identifier: MIT */
/* fence: fclose(): use after free: write of 1 byte, at offset 0 of a freed block */
/* guard: same */
#include "_crime.h"

void crime(int right)
{
    FILE *f = fopen("/dev/null", "w"), *same = (FILE *)hide(f);
    fputs("text", f);
    fclose(f);
    if (!right)
        fclose((FILE *)hide(same));
}
