/* SPDX-License-Identifier: MIT */
/* Vmlast, used by any thread. */
#define METHOD   Vmlast
#define FLAGS    0
#define R_SIZES  1
#define R_FREES  0
#define R_DROPS  1
#define R_SHARED 1
#include "vm.h"
