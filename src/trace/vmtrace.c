/* SPDX-License-Identifier: MIT */
/*
 * vmtrace: which regions are traced, and where to.
 *
 *   wanted  =  a form is on, and: the region has VM_TRACE, or all shall be
 *
 * After each change of either side the handles are brought in line.  While nothing was ever traced
 * nobody watches the regions, so that opening and closing costs nothing more.
 */
#include "trace.h"

#include <errno.h>

int vmtr_form;
void (*vmtr_onheap)(void);
static int all; /* VM_TRALL */
static uint64_t sequence __attribute__((aligned(64)));

uint64_t vmtr_draw(void)
{
    if (vmtr_form != VMTR_BINARY)
        return 0;
    return __atomic_add_fetch(&sequence, 1, __ATOMIC_ACQ_REL);
}

void vmtr_note(const vmtr_event_t *e)
{
    int keep = errno, form = __atomic_load_n(&vmtr_form, __ATOMIC_ACQUIRE);
    if (form == VMTR_TEXT)
        vmtr_text(e);
    else if (form == VMTR_BINARY)
        vmtr_binary(e);
    errno = keep;
}

/* ---- which regions ---- */

static int wanted(Vmalloc_t *vm)
{
    return vmtr_form != VMTR_OFF &&
           (all || __atomic_load_n(&vm->data->mode, __ATOMIC_RELAXED) & VM_TRACE);
}

static void adjust(Vmalloc_t *vm)
{
    if (wanted(vm))
        vmtr_wrap(vm);
    else
        vmtr_unwrap(vm);
}

/* What became of a region; only the binary form tells. */
static void life(Vmalloc_t *vm, int kind)
{
    vmtr_event_t e = {.kind = kind, .vm = vm};
    if (!(vm->meth.meth & VMR_TRACED) || vmtr_form != VMTR_BINARY || vmr_inside)
        return;
    vmr_inside++;
    e.seq = vmtr_draw();
    vmtr_note(&e);
    vmr_inside--;
}

static void forked(void)
{
    vmtr_binary_forked();
    if (vmtr_form == VMTR_OFF || vmtr_file_fd() < 0)
        return;
    if (vmtr_file_forked() != 0) {
        vmb_fault("no file for a trace of this child: it is not traced");
        vmtr_form = VMTR_OFF;
    }
    if (vmtr_form == VMTR_TEXT)
        vmtr_fd = vmtr_file_fd();
    sequence = 0;
}

static void watch(Vmalloc_t *vm, int what)
{
    int keep = errno;
    switch (what) {
    case VMR_OPENED:
        adjust(vm);
        life(vm, VM_TROPEN);
        break;
    case VMR_MODE:
        adjust(vm);
        break;
    case VMR_CLEARING:
        life(vm, VM_TRCLEAR);
        break;
    case VMR_CLOSING:
        life(vm, VM_TRCLOSE);
        vmtr_unwrap(vm);
        break;
    case VMR_FORKED:
        forked();
        break;
    case VMR_EXITING:
        vmtr_binary_exit();
        break;
    case VMR_JUMPED:
        vmtr_binary_jumped();
        break;
    }
    errno = keep;
}

static void change(int form)
{
    __atomic_store_n(&vmtr_form, form, __ATOMIC_RELEASE);
    if (form != VMTR_OFF)
        __atomic_store_n(&vmr_watch, watch, __ATOMIC_RELEASE);
    vmr_each(adjust);
}

/* ---- calls ---- */

/* Nobody writes from here on but who is in the middle of it. */
static void stop(void)
{
    change(VMTR_OFF);
    vmtr_file_end();
    vmtr_fd = -1;
    all = 0;
}

int vmtrace(int fd)
{
    int was = vmtr_fd, e = errno;
    if (vmr_heap() == NULL)
        return was;
    stop();
    vmtr_fd = fd < 0 ? -1 : fd;
    if (fd >= 0)
        change(VMTR_TEXT);
    errno = e;
    return was;
}

int vmtracefile(const char *path, int flags)
{
    int e = errno;
    if (vmr_heap() == NULL)
        return -1;
    stop();
    if (path == NULL) {
        errno = e;
        return 0;
    }
    if (vmtr_file_begin(path, (flags & VM_TRBINARY) != 0) != 0)
        return -1;
    all = (flags & VM_TRALL) != 0;
    vmtr_fd = flags & VM_TRBINARY ? -1 : vmtr_file_fd();
    sequence = 0;
    if (flags & VM_TRBINARY)
        vmtr_binary_begin();
    change(flags & VM_TRBINARY ? VMTR_BINARY : VMTR_TEXT);
    errno = e;
    return 0;
}
