/* SPDX-License-Identifier: MIT */
/*
 * Threads, by what every Unix has: a key with a destructor tells of ends, pthread_atfork() of
 * forks.
 *
 * The end of a thread.  The system calls the destructors of all keys in rounds, four at least,
 * until all values are NULL, and sets each value to NULL before the call.  Other destructors free
 * memory too, and ours runs among the first: it acts in the second round, and stays watchful for
 * the third.  (Not for the fourth: tools like ThreadSanitizer take a thread apart then.)  The
 * value tells what is to do:
 *
 *   NULL                     never watched
 *   round << 1 | pending     round: 1 to 3, that in which the destructor sees this value;
 *                            pending: watched, and f() was not called since
 *
 * f() is called once for each time that the thread was found watched, with the value for the next
 * round already set, since f() itself may have the thread watched again.  Lost is only who comes
 * back in the third round or later.
 */
#define _DEFAULT_SOURCE 1
#include "os.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#define ROUNDS 3
#define PENDING 1u
#define FIRST ((uintptr_t)1 << 1 | PENDING)

static vmos_lock_t making;
static int made; /* key and exitf stand */
static pthread_key_t key;
static void (*exitf)(void);

static void ended(void *value)
{
    uintptr_t round = (uintptr_t)value >> 1, pending = (uintptr_t)value & PENDING;
    int act = pending && round > 1;
    if (act)
        pending = 0;
    if (round < ROUNDS)
        pthread_setspecific(key, (void *)((round + 1) << 1 | pending));
    if (act)
        exitf();
}

int vmos_onthreadexit(void (*f)(void))
{
    int e = 0;
    vmos_lock(&making);
    if (!made) {
        exitf = f;
        e = pthread_key_create(&key, ended);
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
    int keep = errno;
    uintptr_t value;
    if (!__atomic_load_n(&made, __ATOMIC_ACQUIRE))
        return;
    value = (uintptr_t)pthread_getspecific(key);
    if (!(value & PENDING))
        pthread_setspecific(key, (void *)(value != 0 ? value | PENDING : FIRST));
    errno = keep;
}

/* A library that is unloaded must not leave its address behind in threads that live on. */
__attribute__((destructor)) static void unload(void)
{
    if (__atomic_exchange_n(&made, 0, __ATOMIC_ACQ_REL))
        pthread_key_delete(key);
}

int vmos_onfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    int e = pthread_atfork(prepare, parent, child);
    if (e == 0)
        return 0;
    errno = e;
    return -1;
}

uintptr_t vmos_self_slow(void)
{
    return (uintptr_t)pthread_self();
}

void vmos_yield(void)
{
    int keep = errno;
    sched_yield();
    errno = keep;
}
