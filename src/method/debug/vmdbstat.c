/* SPDX-License-Identifier: MIT */
/*
 * vmdbstat: sums of a region's blocks, in the original's lines.
 */
#include "report.h"

#include <errno.h>

int vmdbstat(Vmalloc_t *vm)
{
    char text[512];
    vmb_out_t o;
    Vmstat_t st;
    int keep = errno, fd = __atomic_load_n(&vmb_faultfd, __ATOMIC_RELAXED);
    if (vm == NULL || vm->data == NULL) {
        errno = EINVAL;
        return -1;
    }
    if (vmstat(vm, &st) < 0)
        return -1;
    vmb_out_init(&o, text, sizeof text);
    vmb_printf(&o, "n_busy=%zu, s_busy=%zu\n", (size_t)st.n_busy, st.s_busy);
    vmb_printf(&o, "n_free=%zu, s_free=%zu\n", (size_t)st.n_free, st.s_free);
    vmb_printf(&o, "m_busy=%zu, m_free=%zu\n", st.m_busy, st.m_free);
    vmb_printf(&o, "n_segment=%zu, extent=%zu\n", (size_t)st.n_seg, st.extent);
    if (fd >= 0)
        vmos_write(fd, o.buf, o.len);
    errno = keep;
    return 0;
}
