/* SPDX-License-Identifier: MIT */
/* Vmpool, one thread. */
#define METHOD   Vmpool
#define FLAGS    VM_SINGLE
#define R_SIZES  0
#define R_FREES  1
#define R_DROPS  1
#define R_SHARED 0
#include "vm.h"
