/* SPDX-License-Identifier: MIT */
/* both: posix_memalign(): impossible alignment: 24 */
#include "_crime.h"

void crime(int right)
{
    void *p = NULL;
    if ((posix_memalign(&p, number(right ? 32 : 24), 10) == 0) != right)
        exit(1);
    free(p);
}
