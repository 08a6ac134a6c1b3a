/* SPDX-License-Identifier: MIT */
/*
 * text: a line for each call, in the form of the original's last versions.
 *
 *   OLD:NEW:SIZE:ALIGN:REGION:METHOD:[file=F,line=N[,func=X]:]\n
 *
 * One write() for each, so that the lines of several threads and processes do not mix, and none is
 * lost with the process.  Cost: that of the system call.
 */
#include "trace.h"

#include <string.h>

#define LINE 640
#define NAME 200 /* of a file's name, the end is written */

int vmtr_fd = -1;

static void place(vmb_out_t *o, const vmr_place_t *p)
{
    size_t n;
    if (p->file == NULL)
        return;
    n = strlen(p->file);
    vmb_printf(o, "file=%s%s,line=%d", n > NAME ? "..." : "",
               n > NAME ? p->file + n - NAME : p->file, p->line);
    if (p->func != NULL)
        vmb_printf(o, ",func=%.*s", NAME, p->func);
    vmb_printf(o, ":");
}

void vmtr_text(const vmtr_event_t *e)
{
    char line[LINE];
    int fd = vmtr_fd;
    vmb_out_t o;
    if (fd < 0)
        return;
    vmb_out_init(&o, line, sizeof line);
    vmb_printf(&o, "%lx:%lx:%zu:%zu:%lx:%c:", (unsigned long)(uintptr_t)e->old,
               (unsigned long)(uintptr_t)e->new, e->size, e->align,
               (unsigned long)(uintptr_t)e->vm, e->kind == VM_TRBUSY ? 'u' : vmtr_letter(e->vm));
    place(&o, &e->place);
    vmb_printf(&o, "\n");
    vmos_write(fd, line, o.len);
}
