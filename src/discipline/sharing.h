/* SPDX-License-Identifier: MIT */
/*
 * sharing: the discipline of shared images, for those who open one.
 */
#ifndef VM_DISCIPLINE_SHARING_H
#define VM_DISCIPLINE_SHARING_H 1

#include "share.h"

#define VMDC_MEMNAME 64 /* bytes for the name of memory */

/* A discipline for name (or opt->fd), NULL with errno; and the image that it carries. */
Vmdisc_t *vmdc_sharing(const char *name, const Vmshare_t *opt);
vmi_share_t *vmdc_shared(Vmdisc_t *disc);
/* The name of memory that stands for a file name and a number; NULL: there is none. */
const char *vmdc_memname(char *name, const char *file, int project);

#endif
