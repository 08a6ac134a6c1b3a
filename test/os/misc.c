/* SPDX-License-Identifier: MIT */
/* Clocks, random numbers, environment and output as this platform's library has them. */
#include "_misc.h"

int main(void)
{
    return run_misc();
}
