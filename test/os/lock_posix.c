/* SPDX-License-Identifier: MIT */
/* Locks of any Unix: the sources are part of this program and hide the library's. */
#include "os_cpus_posix.c"
#include "os_lock_posix.c"

#include "_lock.h"

int main(void)
{
    return run_lock();
}
