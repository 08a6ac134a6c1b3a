/* SPDX-License-Identifier: MIT */
/* Pages of any Unix: the source is part of this program and hides the library's. */
#include "os_pages_posix.c"
#undef VMOS_PAGESIZE /* it knows none but the system's */

#include "_pages.h"

int main(void)
{
    return run_pages();
}
