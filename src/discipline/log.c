/* SPDX-License-Identifier: MIT */
/*
 * vmdclog(): tell each request and event of another discipline, and pass it on.
 *
 *   vmlog: PID REGION get 0x0 0 65536 -> 0x7f12a4c00000
 *   vmlog: PID REGION grow 0x7f12a4c00000 65536 131072 -> 0x0
 *   vmlog: PID REGION VM_NOMEM 131072 -> 0
 *
 * A request has address, size now and size wanted, an event its object (VM_NOMEM: the size).  Each
 * line is one write, made when the answer is known, so that lines of threads and processes do not
 * mix.  Nothing is allocated and errno is that of the answer.  For a region's first segment, and for
 * VM_OPEN, REGION is a temporary.  Cost: one system call a request.
 */
#include "request.h"
#include "under.h"
#include <errno.h>

typedef struct log {
    vmdc_made_t made;
    int fd;
} log_t;

static const char *requestname(vmdc_request_t request)
{
    static const char *const names[] = {"none", "get", "grow", "shrink", "release"};

    return names[request];
}

/* NULL for one that is not of this library. */
static const char *eventname(int type)
{
    static const char *const names[] = {NULL,          "VM_OPEN", "VM_ENDOPEN", "VM_CLOSE",
                                        "VM_ENDCLOSE", "VM_DISC", "VM_NOMEM"};

    if (type == VM_BADADDR)
        return "VM_BADADDR";
    return type >= 0 && type < (int)(sizeof names / sizeof *names) ? names[type] : NULL;
}

static void begin(vmb_out_t *out, char *line, size_t size, Vmalloc_t *vm)
{
    vmb_out_init(out, line, size);
    vmb_printf(out, "vmlog: %ld %p ", vmos_pid(), (void *)vm);
}

static void finish(const vmb_out_t *out, int fd)
{
    int saved = errno;

    vmos_write(fd, out->buf, out->len);
    errno = saved;
}

static Void_t *memory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    Void_t *seg = vmdc_pass(vm, addr, csize, nsize, disc);
    char line[192];
    vmb_out_t out;

    begin(&out, line, sizeof line, vm);
    vmb_printf(&out, "%s %p %zu %zu -> %p\n", requestname(vmdc_request(addr, csize, nsize)), addr,
               csize, nsize, seg);
    finish(&out, ((log_t *)disc)->fd);
    return seg;
}

static int event(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    int fd = ((log_t *)disc)->fd; /* at VM_ENDCLOSE a handler below may free all of the stack */
    int value = vmdc_passevent(vm, type, obj, disc);
    const char *name = eventname(type);
    char line[192];
    vmb_out_t out;

    begin(&out, line, sizeof line, vm);
    if (name)
        vmb_printf(&out, "%s", name);
    else
        vmb_printf(&out, "event %d", type);
    if (type == VM_NOMEM)
        vmb_printf(&out, " %zu -> %d\n", (size_t)obj, value);
    else
        vmb_printf(&out, " %p -> %d\n", obj, value);
    finish(&out, fd);
    return value;
}

Vmdisc_t *vmdclog(Vmdisc_t *under, int fd)
{
    log_t *l;

    if (fd < 0) {
        errno = EINVAL;
        return NULL;
    }
    l = vmdc_stack(under, sizeof *l, memory);
    if (l == NULL)
        return NULL;
    l->made.more.disc.exceptf = event;
    l->fd = fd;
    return &l->made.more.disc;
}
