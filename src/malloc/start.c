/* SPDX-License-Identifier: MIT */
/*
 * start: sets the malloc interface up at its first use, and tells of its use at the end.
 *
 *   options read -> Vmheap opened -> its discipline, Vmregion as the options say
 *
 * The first use is a call of the dynamic linker or of libc that is setting itself up, long before
 * any constructor; what is called on the way may itself call malloc(), and then gets Vmheap as far
 * as it is.  For the end there is a destructor: atexit() may call malloc() with its lock held.
 */
#include "break.h"
#include "checked.h"
#include "debugged.h"
#include "malloc.h"
#include "option.h"
#include "profiled.h"
#include "traced.h"
#include <vmalloc/stat.h>

static vmos_lock_t starting;
static int started;

static const char *methodname(void)
{
    if (vmma_options.debug)
        return "debug";
    return vmma_options.method != NULL ? vmma_options.method->more->name : "best";
}

static void tellchoice(void)
{
    vmb_fault("method %s, memory of %s, segments in multiples of %zu bytes", methodname(),
              vmma_options.brk ? "sbrk" : "the system", Vmregion->data->incr);
}

/* Before Vmheap is open. */
static void prepare(void)
{
    vmma_options_read();
    if (vmma_options.warnfd >= 0)
        vmdebug(vmma_options.warnfd);
    else if (vmma_options.usage) /* programs close descriptor 2 before they end */
        vmdebug(vmos_copyfd(2));
    if (vmma_options.segsize != 0)
        Vmdcsystem->round = vmma_options.segsize;
}

/* With Vmheap open.  A program that assigned Vmregion before is not contradicted. */
static void choose(void)
{
    Vmdisc_t *disc = vmma_options.brk ? &vmma_break.disc : Vmdcsystem;
    Vmalloc_t *vm = NULL;
    if (vmma_options.brk)
        vmdisc(Vmheap, &vmma_break.disc);
    if (Vmregion == Vmheap && vmma_options.debug)
        vm = vmma_debug_open(disc);
    else if (Vmregion == Vmheap && vmma_options.profile)
        vm = vmma_profile_open(disc);
    else if (Vmregion == Vmheap && vmma_options.method != NULL && vmma_options.method != Vmbest)
        vm = vmopen(disc, vmma_options.method, 0);
    if (vm != NULL) {
        vmname(vm, "malloc");
        Vmregion = vm;
    }
    vmma_traced_begin();
    if (vmma_options.verbose)
        tellchoice();
}

static VMOS_COLD void start(void)
{
    int e = errno;
    if (vmos_lockedbyme(&starting))
        return;
    vmos_lock(&starting);
    if (!started) {
        prepare();
        if (vmr_heap() != NULL) {
            choose();
            __atomic_store_n(&started, 1, __ATOMIC_RELEASE);
        }
    }
    vmos_unlock(&starting);
    errno = e;
}

Vmalloc_t *vmma_region(void)
{
    Vmalloc_t *vm;
    if (VMOS_UNLIKELY(!__atomic_load_n(&started, __ATOMIC_ACQUIRE)))
        start();
    vm = Vmregion;
    return vm == NULL || vm == Vmheap ? vmr_heap() : vm;
}

/* Options take effect, and are told of, even if the program never allocates.  The first of all
 * constructors: others open Vmheap, which options are for. */
__attribute__((constructor(101))) static void begin(void)
{
    vmma_region();
    if (vmma_debugging)
        vmma_checked_begin();
}

static void writestat(vmma_word_t file)
{
    int fd = vmma_word_open(file);
    if (fd < 0 || vmstatjson(NULL, fd) != 0)
        vmb_fault("stat=%.*s: cannot be written", (int)VMB_MIN(file.n, 200), file.s);
    if (fd >= 0)
        vmos_file_close(fd);
}

__attribute__((destructor)) static void end(void)
{
    Vmstat_t st;
    vmma_profile_end();
    if (vmma_options.usage && vmstat(NULL, &st) == 0)
        vmb_fault("%s, most %zu", st.mesg, st.m_extent);
    if (vmma_options.statlen > 0)
        writestat((vmma_word_t){vmma_options.stat, vmma_options.statlen});
}
