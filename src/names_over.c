/* SPDX-License-Identifier: MIT */
/*
 * The standard names of the methods that work over another one, where there are such.
 */
#include "region.h"
#include "method_tables.h"

Vmethod_t *Vmdebug = &vmmt_debug.meth;
Vmethod_t *Vmprofile = &vmmt_profile.meth;
