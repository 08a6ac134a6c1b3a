/* SPDX-License-Identifier: MIT */
/*
 * Threads that stand still, on Linux: each gets a signal, and waits in its handler.
 *
 *   slot 0  tid  sp     1 stop, 2 stands, 3 has gone on
 *   slot 1  ...
 *
 * No ptrace, which containers forbid.  The registers of a thread lie in its signal frame, above the
 * handler's frame address, which is what is told as its stack pointer.  Where the thread has a stack of
 * its own for signals, as every thread of a Rust program, the frame lies there, and what is told is the
 * stack pointer that the signal found, and where the registers are.  A thread that blocks the signal, or ends meanwhile, is waited for until the time is over; a signal that comes too late finds
 * nobody who waits, and what is still pending is taken back before the signal has its old meaning.
 *
 * Only system calls are made meanwhile: a thread may stand in the middle of libc.
 */
#define _GNU_SOURCE 1
#include "os_debug.h"
#include "os_disk.h"
#include "os_scan.h"
#include "os_stack.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define SLOTS 4096
#define MILLI 1000000u

enum { FREE, ASKED, STANDS, GONE };

typedef struct slot {
    long tid;
    uintptr_t sp;
    const void *context;
    uint32_t state;
} slot_t;

static slot_t slots[SLOTS];
static size_t nslots;
static uint32_t standing; /* the futex: 1 while all shall stand */
static int signum;        /* in use, 0: none */
static struct sigaction before;

static long futex(uint32_t *word, int op, uint32_t value)
{
    return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static slot_t *mine(void)
{
    long tid = vmos_tid();
    size_t n = __atomic_load_n(&nslots, __ATOMIC_ACQUIRE);
    for (size_t i = 0; i < n; i++)
        if (slots[i].tid == tid)
            return &slots[i];
    return NULL;
}

#define RED 512 /* bytes below the stack pointer that functions may use: 128 on x86-64, 288 on POWER */

/* Handlers that were interrupted may be on that stack, too; then nobody knows where the thread's was. */
static VMOS_UNCHECKED void place(slot_t *s, uintptr_t frame, const void *context)
{
    const stack_t *alt = &((const ucontext_t *)context)->uc_stack;
    vmos_regs_t r;
    s->sp = frame;
    s->context = NULL;
    if ((alt->ss_flags & SS_DISABLE) || frame - (uintptr_t)alt->ss_sp >= alt->ss_size)
        return;
    s->context = context;
    s->sp = 0;
    if (vmos_regs_of_context(&r, context) == 0 && r.sp - (uintptr_t)alt->ss_sp >= alt->ss_size)
        s->sp = r.sp - RED;
}

static VMOS_NOINLINE VMOS_UNCHECKED void stand(int sig, siginfo_t *info, void *context)
{
    int keep = errno;
    slot_t *s = __atomic_load_n(&standing, __ATOMIC_ACQUIRE) ? mine() : NULL;
    (void)sig, (void)info;
    if (s != NULL) {
        place(s, (uintptr_t)__builtin_frame_address(0), context);
        __atomic_store_n(&s->state, STANDS, __ATOMIC_RELEASE);
        while (__atomic_load_n(&standing, __ATOMIC_ACQUIRE))
            futex(&standing, FUTEX_WAIT_PRIVATE, 1);
        __atomic_store_n(&s->state, GONE, __ATOMIC_RELEASE);
    }
    errno = keep;
}

/* ---- which threads there are ---- */

typedef struct entry { /* as getdents64() gives it */
    uint64_t ino;
    int64_t off;
    unsigned short length;
    unsigned char type;
    char name[];
} entry_t;

static long number(const char *s)
{
    long n = 0;
    for (; *s >= '0' && *s <= '9'; s++)
        n = n * 10 + (*s - '0');
    return n;
}

static int noted(long tid)
{
    for (size_t i = 0; i < nslots; i++)
        if (slots[i].tid == tid)
            return 1;
    return 0;
}

/* New threads go into slots: how many, -1 when they cannot be listed. */
static long list(void)
{
    _Alignas(8) char buf[2048];
    long n, found = 0, self = vmos_tid();
    int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    while ((n = syscall(SYS_getdents64, fd, buf, sizeof buf)) > 0)
        for (long at = 0; at < n;) {
            const entry_t *e = (const void *)(buf + at);
            long tid = number(e->name);
            at += e->length;
            if (tid == 0 || tid == self || nslots == SLOTS || noted(tid))
                continue;
            slots[nslots] = (slot_t){tid, 0, NULL, FREE};
            __atomic_store_n(&nslots, nslots + 1, __ATOMIC_RELEASE);
            found++;
        }
    syscall(SYS_close, fd);
    return found;
}

/* ---- stopping ---- */

/* A signal that the program does nothing with; 0: none. */
static int choose(void)
{
    struct sigaction sa;
    for (int s = SIGRTMAX; s >= SIGRTMIN; s--)
        if (sigaction(s, NULL, &sa) == 0 && !(sa.sa_flags & SA_SIGINFO) && sa.sa_handler == SIG_DFL)
            return s;
    return 0;
}

static int prepare(void)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = stand;
    sa.sa_flags = SA_RESTART | SA_ONSTACK | SA_SIGINFO;
    sigfillset(&sa.sa_mask);
    signum = choose();
    return signum != 0 ? sigaction(signum, &sa, &before) : -1;
}

static void ask(void)
{
    long pid = (long)getpid();
    for (size_t i = 0; i < nslots; i++)
        if (slots[i].state == FREE) {
            __atomic_store_n(&slots[i].state, ASKED, __ATOMIC_RELEASE);
            if (syscall(SYS_tgkill, pid, slots[i].tid, signum) != 0)
                __atomic_store_n(&slots[i].state, GONE, __ATOMIC_RELEASE);
        }
}

static size_t count(uint32_t state)
{
    size_t n = 0;
    for (size_t i = 0; i < nslots; i++)
        n += __atomic_load_n(&slots[i].state, __ATOMIC_ACQUIRE) == state;
    return n;
}

static void nap(void)
{
    struct timespec t = {0, 200000};
    nanosleep(&t, NULL);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void await(uint32_t state, uint64_t deadline)
{
    while (count(state) != 0 && vmos_nanotime() < deadline)
        nap();
}

/* Threads that ended meanwhile need not be waited for. */
static void drop_dead(void)
{
    long pid = (long)getpid();
    for (size_t i = 0; i < nslots; i++)
        if (__atomic_load_n(&slots[i].state, __ATOMIC_ACQUIRE) == ASKED &&
            syscall(SYS_tgkill, pid, slots[i].tid, 0) != 0)
            __atomic_store_n(&slots[i].state, GONE, __ATOMIC_RELEASE);
}

static size_t tell(vmos_stopped_t *threads, size_t most)
{
    size_t n = 0;
    for (size_t i = 0; i < nslots && n < most; i++) {
        uint32_t state = __atomic_load_n(&slots[i].state, __ATOMIC_ACQUIRE);
        if (state == GONE)
            continue;
        threads[n++] = state == STANDS ? (vmos_stopped_t){slots[i].tid, slots[i].sp, slots[i].context}
                                       : (vmos_stopped_t){slots[i].tid, 0, NULL};
    }
    return n;
}

/* Threads that are started while others are stopped are found in a further round. */
long vmos_world_stop(vmos_stopped_t *threads, size_t most, unsigned millis)
{
    uint64_t deadline = vmos_nanotime() + (uint64_t)millis * MILLI;
    int keep = errno;
    long fresh;
    nslots = 0;
    fresh = list();
    if (fresh == 0)
        return 0;
    if (fresh < 0 || prepare() != 0) {
        signum = 0;
        errno = ENOSYS;
        return -1;
    }
    __atomic_store_n(&standing, 1, __ATOMIC_RELEASE);
    do {
        ask();
        await(ASKED, sooner(deadline, vmos_nanotime() + 20 * MILLI));
        drop_dead();
        await(ASKED, deadline);
    } while (list() > 0 && vmos_nanotime() < deadline);
    errno = keep;
    return (long)tell(threads, most);
}

void vmos_world_go(void)
{
    struct sigaction ignore;
    int keep = errno;
    __atomic_store_n(&standing, 0, __ATOMIC_RELEASE);
    futex(&standing, FUTEX_WAKE_PRIVATE, SLOTS);
    if (signum == 0)
        return;
    await(STANDS, vmos_nanotime() + (uint64_t)10000 * MILLI);
    if (count(ASKED) != 0) { /* drops what is still to come */
        memset(&ignore, 0, sizeof ignore);
        ignore.sa_handler = SIG_IGN;
        sigaction(signum, &ignore, NULL);
    }
    sigaction(signum, &before, NULL);
    signum = 0;
    errno = keep;
}

/* ---- memory ---- */

size_t vmos_touched(const void *addr, size_t n, uint64_t which[8])
{
    unsigned char kind[512];
    size_t found = 0;
    int keep = errno, fd = vmos_pagemap_open(), known;
    n = n < 512 ? n : 512;
    memset(which, 0, 64);
    known = fd >= 0 && vmos_pagemap_kinds(fd, addr, n, kind) == 0;
    if (fd >= 0)
        vmos_disk_close(fd);
    for (size_t i = 0; i < n; i++)
        if (!known || kind[i] & VMOS_PAGE_THERE) {
            which[i / 64] |= UINT64_C(1) << (i % 64);
            found++;
        }
    errno = keep;
    return found;
}

/* ---- files ---- */

int vmos_isterminal(int fd)
{
    struct termios t;
    int keep = errno, yes = ioctl(fd, TCGETS, &t) == 0;
    errno = keep;
    return yes;
}

static int hastable(int fd)
{
    ElfW(Ehdr) e;
    ElfW(Shdr) s;
    if (pread(fd, &e, sizeof e, 0) != (ssize_t)sizeof e || memcmp(e.e_ident, ELFMAG, SELFMAG) != 0)
        return -1;
    for (int i = 0; i < e.e_shnum && e.e_shentsize >= sizeof s; i++)
        if (pread(fd, &s, sizeof s, (off_t)(e.e_shoff + (size_t)i * e.e_shentsize)) ==
                (ssize_t)sizeof s && s.sh_type == SHT_SYMTAB)
            return 1;
    return 0;
}

int vmos_stripped(void)
{
    int keep = errno, has = -1;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        has = hastable(fd);
        syscall(SYS_close, fd);
    }
    errno = keep;
    return has < 0 ? -1 : !has;
}

long vmos_readfile(const char *path, char *to, size_t size)
{
    long n = 0, got = 1;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    while ((size_t)n < size && got > 0) {
        got = syscall(SYS_read, fd, to + n, size - (size_t)n);
        n += got > 0 ? got : 0;
    }
    syscall(SYS_close, fd);
    return n;
}
