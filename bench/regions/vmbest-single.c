/* SPDX-License-Identifier: MIT */
/* Vmbest, one thread. */
#define METHOD   Vmbest
#define FLAGS    VM_SINGLE
#define R_SIZES  1
#define R_FREES  1
#define R_DROPS  1
#define R_SHARED 0
#include "vm.h"
