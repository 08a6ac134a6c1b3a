/* SPDX-License-Identifier: MIT */
/* both: fgetc(): use after free: .* at offset 0 of a freed block */
#include "_crime.h"

void crime(int right)
{
    FILE *file = (FILE *)hide(fopen("/dev/null", "r"));
    if (!right)
        fclose(file);
    if (fgetc(file) != EOF)
        exit(1);
    if (right)
        fclose(file);
}
