/* SPDX-License-Identifier: MIT */
/* Windows has no checker that is known either. */
#include "os_checker_posix.c"
