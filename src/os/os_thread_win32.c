/* SPDX-License-Identifier: MIT */
/*
 * Threads of Windows.  There is no fork().
 *
 * The end of a thread: the loader calls what stands in section .CRT$XL* of each module, in the order of the
 * sections' names, in the thread that ends.  Ours (XLB) comes before that of the C runtime (XLD), which frees
 * the variables of the thread.  Keys with destructors of winpthreads and destructors of C++ run earlier still,
 * so that what they free is back when ours is called.  A slot of the thread tells whether it is watched.
 *
 * f() may itself have the thread watched again, and is then called again, ROUNDS times at most.
 */
#include "os.h"

#include <errno.h>
#include <windows.h>

#define ROUNDS 3

static vmos_lock_t making;
static int made; /* slot and exitf stand */
static DWORD slot;
static void (*exitf)(void);

static void ended(void)
{
    for (int i = 0; i < ROUNDS && TlsGetValue(slot) != NULL; i++) {
        TlsSetValue(slot, NULL);
        exitf();
    }
}

/* A library that is unloaded gives its slot back. */
static void NTAPI told(PVOID module, DWORD what, PVOID reserved)
{
    (void)module, (void)reserved;
    if (what == DLL_THREAD_DETACH && __atomic_load_n(&made, __ATOMIC_ACQUIRE))
        ended();
    else if (what == DLL_PROCESS_DETACH && __atomic_exchange_n(&made, 0, __ATOMIC_ACQ_REL))
        TlsFree(slot);
}

extern PIMAGE_TLS_CALLBACK const vmos_threadcall;
__attribute__((section(".CRT$XLB"), used)) PIMAGE_TLS_CALLBACK const vmos_threadcall = told;

int vmos_onthreadexit(void (*f)(void))
{
    int e = 0;
    vmos_lock(&making);
    if (!made) {
        exitf = f;
        slot = TlsAlloc();
        e = slot == TLS_OUT_OF_INDEXES ? EAGAIN : 0;
        __atomic_store_n(&made, e == 0, __ATOMIC_RELEASE);
    } else if (f != exitf) {
        e = EBUSY;
    }
    vmos_unlock(&making);
    if (e == 0)
        return 0;
    errno = e;
    return -1;
}

void vmos_watchthread(void)
{
    if (__atomic_load_n(&made, __ATOMIC_ACQUIRE))
        TlsSetValue(slot, &slot);
}

int vmos_onfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    (void)prepare, (void)parent, (void)child;
    return 0;
}

/* The thread's block in the process: numbers of threads differ in too few bits for vmos_mark(). */
uintptr_t vmos_self_slow(void)
{
#if defined(__x86_64__)
    return vmos_self();
#else
    return (uintptr_t)NtCurrentTeb();
#endif
}

void vmos_yield(void)
{
    SwitchToThread();
}

int vmos_cpus(void)
{
    static int known;
    int n = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (VMOS_UNLIKELY(n == 0)) {
        n = (int)GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
        n = n > 0 ? n : 1;
        __atomic_store_n(&known, n, __ATOMIC_RELAXED);
    }
    return n;
}

/* FlushProcessWriteBuffers() would be one, but is none in Wine before version 9.22, and does not tell. */
int vmos_barrier_ready(void)
{
    return 0;
}

void vmos_barrier(void)
{
    /* nobody is there to ask for it */
}
