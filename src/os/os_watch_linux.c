/* SPDX-License-Identifier: MIT */
/*
 * Hardware watchpoints of Linux: perf events of breakpoints, which send SIGTRAP to the thread at the very
 * instruction (5.13).  No privilege is needed where perf_event_paranoid is 2 or less and no filter
 * of system calls forbids it.  Threads that come later have them too; children of fork do not.
 */
#define _GNU_SOURCE 1
#include "os_debug.h"

#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRAPPERF 6 /* si_code, which headers of libc may lack */

static int fds[VMOS_WATCHES] = {-1, -1, -1, -1};
static uintptr_t places[VMOS_WATCHES];
static size_t lengths[VMOS_WATCHES];
static void (*onwatch)(int slot, const void *context);
static char nothing[8] __attribute__((aligned(8))); /* what a slot that is off watches */

static void describe(struct perf_event_attr *a, const void *addr, size_t len, int reads, int off)
{
    memset(a, 0, sizeof *a);
    a->type = PERF_TYPE_BREAKPOINT;
    a->size = sizeof *a;
    a->sample_period = 1;
    a->bp_type = reads ? HW_BREAKPOINT_RW : HW_BREAKPOINT_W;
    a->bp_addr = (uintptr_t)addr;
    a->bp_len = len;
    a->disabled = off != 0;
    a->inherit = 1;
    a->inherit_thread = 1;
    a->remove_on_exec = 1;
    a->sigtrap = 1;
    a->exclude_kernel = 1;
    a->exclude_hv = 1;
}

static void trapped(int sig, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)info->si_addr;
    int keep = errno;
    (void)sig;
    for (int i = 0; info->si_code == TRAPPERF && i < VMOS_WATCHES; i++)
        if (fds[i] >= 0 && at >= places[i] && at < places[i] + lengths[i]) {
            onwatch(i, context);
            break;
        }
    errno = keep;
}

static int opened(const void *addr, size_t len, int reads)
{
    struct perf_event_attr a;
    int fd, high;
    describe(&a, addr, len, reads, 1);
    fd = (int)syscall(SYS_perf_event_open, &a, 0L, -1L, -1L, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return -1;
    high = vmos_copyfd(fd);
    if (high >= 0)
        close(fd);
    return high >= 0 ? high : fd;
}

int vmos_watch_begin(void (*f)(int slot, const void *context))
{
    struct sigaction act;
    int n = 0;
    memset(&act, 0, sizeof act);
    act.sa_sigaction = trapped;
    act.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    onwatch = f;
    while (n < VMOS_WATCHES && (fds[n] = opened(nothing, 8, 0)) >= 0)
        n++;
    if (n > 0 && sigaction(SIGTRAP, &act, NULL) != 0)
        return 0;
    return n;
}

int vmos_watch(int slot, const void *addr, size_t len, int reads)
{
    struct perf_event_attr a;
    int off = addr == NULL, keep = errno;
    describe(&a, off ? nothing : addr, off ? 8 : len, reads, off);
    __atomic_store_n(&lengths[slot], 0, __ATOMIC_RELAXED);
    places[slot] = (uintptr_t)a.bp_addr;
    if (fds[slot] < 0 || ioctl(fds[slot], PERF_EVENT_IOC_MODIFY_ATTRIBUTES, &a) != 0)
        return -1;
    __atomic_store_n(&lengths[slot], off ? 0 : len, __ATOMIC_RELEASE);
    errno = keep;
    return 0;
}

void vmos_watch_forked(void)
{
    for (int i = 0; i < VMOS_WATCHES; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}
