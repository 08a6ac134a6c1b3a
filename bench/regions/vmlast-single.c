/* SPDX-License-Identifier: MIT */
/* Vmlast, one thread. */
#define METHOD   Vmlast
#define FLAGS    VM_SINGLE
#define R_SIZES  1
#define R_FREES  0
#define R_DROPS  1
#define R_SHARED 0
#include "vm.h"
