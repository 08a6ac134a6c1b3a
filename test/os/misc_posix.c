/* SPDX-License-Identifier: MIT */
/* The same of any Unix: the source is part of this program and hides the library's. */
#include "os_misc_posix.c"

#include "_misc.h"

int main(void)
{
    return run_misc();
}
