/* SPDX-License-Identifier: MIT */
/* Vmpool, used by any thread. */
#define METHOD   Vmpool
#define FLAGS    0
#define R_SIZES  0
#define R_FREES  1
#define R_DROPS  1
#define R_SHARED 1
#include "vm.h"
