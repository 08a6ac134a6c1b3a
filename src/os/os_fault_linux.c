/* SPDX-License-Identifier: MIT */
/*
 * Faults on Linux: one handler for SIGSEGV and SIGBUS, in front of what the program installed.
 *
 *   fault -> ours: explains, perhaps repairs -> retry
 *                  else the program's handler, as if the kernel had called it;
 *                  else the default action, by running into the fault once more
 */
#define _GNU_SOURCE 1
#include "os_debug.h"
#include "os_stack.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK 65536

static int (*onfault)(const vmos_fault_t *fault);
static struct sigaction before[2]; /* of SIGSEGV, SIGBUS: the program's */

static struct sigaction *beforeof(int sig)
{
    return sig == SIGSEGV ? &before[0] : sig == SIGBUS ? &before[1] : NULL;
}

/* Bit 1 of the page fault's error code on x86; bit 6 of the syndrome on ARM. */
static int iswrite(const ucontext_t *uc)
{
#if defined(__x86_64__) || defined(__i386__)
    return uc->uc_mcontext.gregs[REG_TRAPNO] == 14
               ? (int)(uc->uc_mcontext.gregs[REG_ERR] >> 1 & 1) : -1;
#elif defined(__aarch64__)
    const char *p = (const char *)uc->uc_mcontext.__reserved;
    for (size_t i = 0; i < 4096;) {
        uint32_t head[2];
        uint64_t esr;
        memcpy(head, p + i, sizeof head);
        if (head[0] == 0 || head[1] < sizeof head)
            break;
        memcpy(&esr, p + i + 8, sizeof esr);
        if (head[0] == 0x45535201)
            return (int)(esr >> 6 & 1);
        i += head[1];
    }
    return -1;
#else
    (void)uc;
    return -1;
#endif
}

/* The address is that of the instruction. */
static int isjump(const vmos_fault_t *f)
{
    vmos_regs_t r;
    return f->known && f->write != 1 && vmos_regs_of_context(&r, f->context) == 0 &&
           r.pc == (uintptr_t)f->addr;
}

int vmos_fault_registers(const void *context, int (*f)(uintptr_t value, void *arg), void *arg)
{
    int r = 0;
#if defined(__x86_64__)
    const ucontext_t *uc = context;
    for (int i = 0; i < REG_RSP + 1 && r == 0; i++)
        r = f((uintptr_t)uc->uc_mcontext.gregs[i], arg);
#elif defined(__i386__)
    const ucontext_t *uc = context;
    for (int i = REG_EDI; i <= REG_EAX && r == 0; i++)
        r = f((uintptr_t)uc->uc_mcontext.gregs[i], arg);
#elif defined(__aarch64__)
    const ucontext_t *uc = context;
    for (int i = 0; i < 31 && r == 0; i++)
        r = f((uintptr_t)uc->uc_mcontext.regs[i], arg);
#else
    (void)context, (void)f, (void)arg;
#endif
    return r;
}

/* Memory was mapped there meanwhile: the access would go through. */
static int isthere(int sig, const siginfo_t *info)
{
    char byte;
    return sig == SIGSEGV && info->si_code == SEGV_MAPERR && vmos_peek(info->si_addr, &byte, 1) == 1;
}

/* The default action: without a handler the same instruction faults again.  A signal that was sent
 * does not come again by itself. */
static void bydefault(int sig, const siginfo_t *info)
{
    struct sigaction act;
    memset(&act, 0, sizeof act);
    act.sa_handler = SIG_DFL;
    sigaction(sig, &act, NULL);
    if (info->si_code <= 0 || isthere(sig, info))
        raise(sig);
}

static void chain(int sig, siginfo_t *info, void *context)
{
    struct sigaction *act = beforeof(sig);
    if (act->sa_flags & SA_SIGINFO) {
        struct sigaction now = *act;
        if (act->sa_flags & (int)SA_RESETHAND)
            act->sa_flags = 0, act->sa_handler = SIG_DFL;
        now.sa_sigaction(sig, info, context);
    } else if (act->sa_handler == SIG_DFL || (act->sa_handler == SIG_IGN && info->si_code > 0)) {
        bydefault(sig, info);
    } else if (act->sa_handler != SIG_IGN) {
        void (*handler)(int) = act->sa_handler;
        if (act->sa_flags & (int)SA_RESETHAND)
            act->sa_handler = SIG_DFL;
        handler(sig);
    }
}

static void caught(int sig, siginfo_t *info, void *context)
{
    int keep = errno;
    vmos_fault_t fault = {.write = -1, .context = context};
    fault.known = info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR ||
                  (sig == SIGBUS && info->si_code == BUS_ADRERR);
    fault.addr = fault.known ? info->si_addr : NULL;
    fault.write = iswrite(context);
    fault.jump = isjump(&fault);
    fault.handled = beforeof(sig)->sa_handler != SIG_DFL && beforeof(sig)->sa_handler != SIG_IGN;
    if (info->si_code <= 0 || !onfault(&fault))
        chain(sig, info, context);
    errno = keep;
}

static int install(int sig)
{
    struct sigaction act;
    memset(&act, 0, sizeof act);
    act.sa_sigaction = caught;
    act.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&act.sa_mask);
    return sigaction(sig, &act, beforeof(sig));
}

/* So that running out of stack can be told of as well. */
static void givestack(void)
{
    static char stack[STACK] __attribute__((aligned(16)));
    stack_t now, want = {.ss_sp = stack, .ss_size = STACK};
    if (sigaltstack(NULL, &now) == 0 && now.ss_flags & SS_DISABLE)
        sigaltstack(&want, NULL);
}

int vmos_onfault(int (*f)(const vmos_fault_t *fault))
{
    int keep = errno;
    if (onfault != NULL)
        return 0;
    onfault = f;
    givestack();
    if (install(SIGSEGV) != 0 || install(SIGBUS) != 0)
        return -1;
    errno = keep;
    return 0;
}

int vmos_fault_action(int sig, const struct sigaction *act, struct sigaction *old)
{
    struct sigaction *mine = beforeof(sig), was;
    if (onfault == NULL || mine == NULL)
        return -1;
    was = *mine;
    if (act != NULL)
        *mine = *act;
    if (old != NULL)
        *old = was;
    return 0;
}
