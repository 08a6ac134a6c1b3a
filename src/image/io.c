/* SPDX-License-Identifier: MIT */
/*
 * io: the table of calls that reach files.  The system's own, until a test replaces it.
 */
#include "io.h"

const vmi_io_t vmi_system = {
    vmos_disk_open,  vmos_disk_close, vmos_disk_read,   vmos_disk_write,  vmos_disk_sync,
    vmos_disk_truncate, vmos_disk_punch, vmos_disk_clone, vmos_disk_rename, vmos_disk_unlink,
    vmos_disk_syncname,
};

const vmi_io_t *vmi_io = &vmi_system;
