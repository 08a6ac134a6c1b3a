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
#include "report.h"

/* In the sentence that Vmdebug has for it. */
static void sentence(const char *func, void *p, vmdg_kind_t kind, const vmbe_what_t *w, const char *what)
{
    vmdg_error_t e = {.kind = kind, .call = func, .addr = p, .what = what};
    char text[256];
    vmb_out_t o;
    e.when = func[0] == 'f' ? VMDG_ATFREE : VMDG_ATRESIZE;
    if (w != NULL) {
        e.block = (vmdg_block_t){.addr = w->block, .size = w->size};
        e.offset = (char *)p - w->block;
    }
    vmb_out_init(&o, text, sizeof text);
    vmdg_sentence(&o, &e);
    vmb_fault("%s", text);
}

/* In a Vmbest region, which knows best. */
static void tellbest(const char *func, void *p, vmbe_what_t w)
{
    switch (w.what) {
    case BE_INSIDE:
        sentence(func, p, VMDG_INSIDE, &w, NULL);
        break;
    case BE_FREED:
    case BE_BLOCK: /* freed by another thread meanwhile, and allocated again */
        sentence(func, p, VMDG_DOUBLEFREE, &w, NULL);
        break;
    case BE_UNUSED:
        vmb_fault("%s(%p): %s or never allocated: in free memory", func, p,
                  func[0] == 'f' ? "double free" : "freed before");
        break;
    default:
        sentence(func, p, VMDG_NOBLOCK, NULL,
                 w.what == BE_OWN ? "bookkeeping of malloc" : "no memory of malloc");
        break;
    }
}

static void tell(const char *func, void *p)
{
    Vmalloc_t *vm = vmregion(p);
    if (vm == NULL)
        sentence(func, p, VMDG_NOBLOCK, NULL, "no memory of malloc");
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
