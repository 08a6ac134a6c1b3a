/* SPDX-License-Identifier: MIT */
/*
 * Threads, by what every Unix has: a key with a destructor tells of ends, pthread_atfork() of
 * forks.
 *
 * The end of a thread.  The system calls the destructors of all keys in rounds, at least four at
 * most, until all values are NULL.  Other destructors free memory too, and ours runs among the
 * first, so it asks for a second round before it acts:
 *
 *   value  NULL    not watched
 *          ONCE    watched; at the end becomes AGAIN
 *          AGAIN   asked for a second round; at the end becomes NULL, and f() runs
 *
 * A thread that comes back after that is watched anew, and f() runs once more, while rounds last:
 * f() may be called several times in a thread and each time lets go of what the thread then has.
 */
#define _DEFAULT_SOURCE 1
#include "os.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#define ONCE ((void *)1)
#define AGAIN ((void *)2)

static vmos_lock_t making;
static int made; /* key and exitf stand */
static pthread_key_t key;
static void (*exitf)(void);

static void ended(void *value)
{
    if (value == ONCE && pthread_setspecific(key, AGAIN) == 0)
        return;
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
    if (__atomic_load_n(&made, __ATOMIC_ACQUIRE) && pthread_getspecific(key) == NULL)
        pthread_setspecific(key, ONCE);
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
