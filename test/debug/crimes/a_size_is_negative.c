/* SPDX-License-Identifier: MIT */
/* both: size overflow: 18446744073709551615 bytes, or -1 */
#include "_crime.h"

void crime(int right)
{
    void *p = malloc(number(right ? 1 : (size_t)-1));
    if ((p != NULL) != right)
        exit(1);
    free(p);
}
