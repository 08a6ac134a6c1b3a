/* SPDX-License-Identifier: MIT */
/* Walking by frame pointers, which must rise within readable memory. */
#include "stack.h"
#include "os_stack.h"

#include <errno.h>

static size_t walk(void **pcs, size_t max, uintptr_t pc, uintptr_t fp)
{
    size_t n = 0;
    while (n < max && pc != 0) {
        const uintptr_t *frame = (const uintptr_t *)fp;
        pcs[n++] = (void *)pc;
        if (fp % sizeof(fp) != 0 || !vmos_readable(frame) || !vmos_readable(frame + 1) ||
            frame[0] <= fp)
            break;
        pc = frame[1];
        fp = frame[0];
    }
    return n;
}

VMOS_NOINLINE size_t vmsk_capture(void **pcs, size_t max, size_t skip)
{
    uintptr_t *frame = __builtin_frame_address(0);
    uintptr_t pc = frame[1], fp = frame[0];
    int keep = errno;
    size_t n;
    for (; skip > 0 && fp % sizeof(fp) == 0 && vmos_readable((void *)fp); skip--) {
        pc = ((uintptr_t *)fp)[1];
        fp = ((uintptr_t *)fp)[0];
    }
    n = skip > 0 ? 0 : walk(pcs, max, pc, fp);
    errno = keep;
    return n;
}

size_t vmsk_capture_regs(void **pcs, size_t max, uintptr_t pc, uintptr_t sp, uintptr_t fp,
                         uintptr_t lr)
{
    (void)sp;
    (void)lr;
    return walk(pcs, max, pc + 1, fp);
}

size_t vmsk_capture_context(void **pcs, size_t max, const void *context)
{
    vmos_regs_t r;
    if (vmos_regs_of_context(&r, context) != 0)
        return 0;
    return vmsk_capture_regs(pcs, max, r.pc, r.sp, r.fp, r.lr);
}

void vmsk_forget(void)
{
}
