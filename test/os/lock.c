/* SPDX-License-Identifier: MIT */
/* Locks as this platform's library has them. */
#include "_lock.h"

int main(void)
{
    return run_lock();
}
