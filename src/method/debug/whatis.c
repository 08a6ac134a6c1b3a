/* SPDX-License-Identifier: MIT */
/*
 * whatis: says of an address that is in no block what it is: a part of a stack, static data or code
 * of a module, a region of another method, a file that was mapped, or nothing.
 */
#include "books.h"
#include "os_debug.h"
#include "os_stack.h"

#include <string.h>

#define SMALL 65536 /* addresses below are numbers, or NULL plus an offset */

size_t vmdg_peek(const void *addr, void *to, size_t n)
{
    return vmos_peek(addr, to, n);
}

static void copy(char *to, const char *from, size_t size)
{
    vmb_out_t o;
    vmb_out_init(&o, to, size);
    vmb_printf(&o, "%s", from);
}

/* A handler may run on a stack of its own, from which it is far to the thread's: what lies in the same mapping
 * is on the stack. */
static int onstack(const void *addr)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0), a = (uintptr_t)addr;
    vmos_mapping_t m;
    if (a < here || a >= vmos_stacktop(here))
        return 0;
    return vmos_mapping((const void *)here, &m) != 0 || a < m.high;
}

static const char *inmodule(const void *addr, const vmos_mapping_t *m, char *object, size_t size)
{
    const vmsk_module_t *module = NULL;
    uintptr_t offset;
    vmsk_refresh();
    if (vmsk_place((const char *)addr + 1, &module, &offset) != 0 || module == NULL)
        return NULL;
    copy(object, module->path, size);
    if (m->exec)
        return "code";
    return m->write ? "static data" : "constant data";
}

/* A mapping that is not a module's. */
static const char *inmapping(const vmos_mapping_t *m, char *object, size_t size)
{
    if (strcmp(m->name, "[stack]") == 0)
        return "stack of the first thread";
    if (strcmp(m->name, "[heap]") == 0)
        return "memory from sbrk()";
    copy(object, m->name, size);
    if (m->name[0] == '/')
        return "a file that is mapped";
    return vmdg_isstack(m->low, m->high) ? "stack of another thread" : "a mapping of the system";
}

/* Of an address that is nowhere: it may be made of what memory is filled with, and a bit more. */
static const char *made(uintptr_t a)
{
    const uintptr_t ones = ~(uintptr_t)0 / 0xff;
    if (a >> 16 == ones * VMDG_FREEDBYTE >> 16)
        return "an address that was read from a freed block";
    return a >> 16 == ones * VMDG_NEWBYTE >> 16 ? "an address that was never written" : NULL;
}

/* Where nothing is mapped.  Without /proc nothing is known of what is there, either. */
static const char *nowhere(const void *addr)
{
    const char *what;
    char byte;
    if (vmos_peek(addr, &byte, 1) == 1)
        return "memory that did not come from malloc";
    what = made((uintptr_t)addr);
    return what != NULL ? what : "no memory of the process";
}

const char *vmdg_whatis(const void *addr, char *object, size_t size)
{
    vmos_mapping_t m;
    const char *what;
    Vmalloc_t *vm;
    object[0] = '\0';
    if ((uintptr_t)addr < SMALL)
        return "a small number";
    if (onstack(addr))
        return "stack of this thread";
    vm = vmregion((void *)(uintptr_t)addr);
    if (vm != NULL) {
        copy(object, vm->meth.more->name, size);
        return vm->meth.meth == VM_MTDEBUG ? "free memory of the region" : "in a region of method";
    }
    if (vmos_mapping(addr, &m) != 0)
        return nowhere(addr);
    what = inmodule(addr, &m, object, size);
    return what != NULL ? what : inmapping(&m, object, size);
}
