/* SPDX-License-Identifier: MIT */
/* Pages as this platform's library has them. */
#include "_pages.h"

int main(void)
{
    return run_pages();
}
