/* SPDX-License-Identifier: MIT */
/*
 * misuse: tells what an address is that was taken for a block.
 *
 *   vmalloc(PID): free(0x7f0102030405): double free: block of 64 bytes
 *
 * Nothing was changed when we come here, and nothing is: after the line the program ends by
 * abort(), or goes on as if the call had not been made (option noabort).
 */
#include "misuse.h"
#include "malloc.h"
#include "options.h"

/* In a Vmbest region, which knows best. */
static void tellbest(const char *func, void *p, vmbe_what_t w)
{
    const char *again = func[0] == 'f' ? "double free" : "freed before";
    switch (w.what) {
    case BE_INSIDE:
        vmb_fault("%s(%p): not a block: inside a block, at offset %zu of %zu bytes at %p", func, p,
                  (size_t)((char *)p - w.block), w.size, (void *)w.block);
        break;
    case BE_FREED:
    case BE_BLOCK: /* freed by another thread meanwhile, and allocated again */
        vmb_fault("%s(%p): %s: block of %zu bytes", func, p, again, w.size);
        break;
    case BE_UNUSED:
        vmb_fault("%s(%p): %s or never allocated: in free memory", func, p, again);
        break;
    case BE_OWN:
        vmb_fault("%s(%p): not a block: bookkeeping of malloc", func, p);
        break;
    default:
        vmb_fault("%s(%p): not a block: no memory of malloc", func, p);
        break;
    }
}

static void tell(const char *func, void *p)
{
    Vmalloc_t *vm = vmregion(p);
    if (vm == NULL)
        vmb_fault("%s(%p): not a block: no memory of malloc", func, p);
    else if (vmma_isbest(vm))
        tellbest(func, p, vmbe_what(vmbe_of(vm), p));
    else
        vmb_fault("%s(%p): not a block: in a region of method %s", func, p, vm->meth.more->name);
}

VMOS_COLD void vmma_misuse(const char *func, void *p)
{
    int e = errno;
    tell(func, p);
    if (!vmma_options.noabort)
        vmos_abort();
    errno = e;
}
