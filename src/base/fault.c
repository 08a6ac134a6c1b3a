/* SPDX-License-Identifier: MIT */
/*
 * Faults: the one exit for messages.
 *
 *   vmalloc(PID): text\n      one write, at most LINE bytes, the newline always there
 */
#include "base.h"

#include <errno.h>

#define LINE 512

int vmb_faultfd = 2;

void vmb_fault(const char *format, ...)
{
    char line[LINE];
    vmb_out_t o;
    va_list ap;
    int keep = errno, fd = __atomic_load_n(&vmb_faultfd, __ATOMIC_RELAXED);
    if (fd < 0)
        return;
    vmb_out_init(&o, line, sizeof(line));
    vmb_printf(&o, "vmalloc(%ld): ", vmos_pid());
    va_start(ap, format);
    vmb_vprintf(&o, format, ap);
    va_end(ap);
    line[o.len] = '\n'; /* where the '\0' stood */
    vmos_write(fd, line, o.len + 1);
    errno = keep;
}
