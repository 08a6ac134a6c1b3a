/* SPDX-License-Identifier: MIT */
/*
 * os: the only room that knows the host.  It knows no other room.
 *
 * Nothing here allocates, prints or takes a lock of ours; functions return 0 or -1 with errno,
 * or a pointer or NULL with errno, unless said otherwise, and leave errno alone on success.
 */
#ifndef VM_OS_H
#define VM_OS_H 1

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#ifndef EUCLEAN /* a number of Linux: what is in the file is not in order */
#define EUCLEAN EBADMSG
#endif

#ifndef EUSERS /* more processes use it than can */
#define EUSERS EAGAIN
#endif

#if defined(__GNUC__)
#define VMOS_LIKELY(x) __builtin_expect(!!(x), 1)
#define VMOS_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define VMOS_NOINLINE __attribute__((noinline))
#define VMOS_COLD __attribute__((noinline, cold))
#define VMOS_INLINE static inline __attribute__((always_inline))
#if defined(_WIN32) /* where nothing is seen from outside that is not exported */
#define VMOS_HIDDEN
#else
#define VMOS_HIDDEN __attribute__((visibility("hidden")))
#endif
#else
#define VMOS_LIKELY(x) (x)
#define VMOS_UNLIKELY(x) (x)
#define VMOS_NOINLINE
#define VMOS_COLD
#define VMOS_INLINE static inline
#define VMOS_HIDDEN
#endif

/* A function that ends in VMOS_JUMP f(...), of the same parameters: in a jump, however it is compiled, so that f
 * sees the caller's caller. */
#if defined(__has_attribute)
#if __has_attribute(musttail)
#define VMOS_JUMPS
#define VMOS_JUMP __attribute__((musttail)) return
#elif __has_attribute(optimize)
#define VMOS_JUMPS __attribute__((optimize("O2", "optimize-sibling-calls")))
#endif
#endif
#if !defined(VMOS_JUMPS)
#define VMOS_JUMPS
#endif
#if !defined(VMOS_JUMP)
#define VMOS_JUMP return
#endif

/* Our own printing knows formats as C99 has them, and not as the library of Windows does. */
#if defined(__MINGW32__) && !defined(__clang__)
#define VMOS_PRINTS(text, args) __attribute__((format(gnu_printf, text, args)))
#elif defined(__GNUC__)
#define VMOS_PRINTS(text, args) __attribute__((format(printf, text, args)))
#else
#define VMOS_PRINTS(text, args)
#endif

/* Set bit i % 64 of *m; whether it was set before.  One instruction where there is one. */
VMOS_INLINE int vmos_setbit(uint64_t *m, uint64_t i)
{
    int was;
#if defined(__x86_64__) && defined(__GCC_ASM_FLAG_OUTPUTS__)
    __asm__("btsq %2, %0" : "+r"(*m), "=@ccc"(was) : "r"(i));
#else
    was = (int)(*m >> (i & 63) & 1);
    *m |= (uint64_t)1 << (i & 63);
#endif
    return was;
}

/* ---- pages (os_pages_*.c) ---- */

/* Size of a page of the system, of the unit in which addresses are given out, and of a huge page
 * (0: none). */
size_t vmos_pagesize(void);
/* The kernel's, in which its tables count.  Another one only in builds that simulate larger pages. */
size_t vmos_kernelpage(void);
size_t vmos_hugesize(void);

/* Bits of the addresses that the system gives out unless asked for more. */
#if UINTPTR_MAX <= 0xffffffffu
#define VMOS_ADDRBITS 32
#elif defined(__x86_64__)
#define VMOS_ADDRBITS 47
#else
#define VMOS_ADDRBITS 48
#endif

#define VMOS_RESERVE 1 /* do not charge for memory not touched (MAP_NORESERVE) */
#define VMOS_SMALL 2   /* never merge into huge pages: for large tables with few parts in use */
#define VMOS_NOTOUCH 4 /* for the addresses alone: nobody touches what is there */

/* size bytes (a multiple of the page size) of cleared memory, at or near hint if not NULL. */
void *vmos_map(void *hint, size_t size, int flags);
/* The same exactly at addr, where nothing is mapped yet; fails (EEXIST) when something is. */
void *vmos_mapat(void *addr, size_t size, int flags);
/* size bytes aligned to align (a power of two, >= page size). */
void *vmos_mapalign(size_t size, size_t align, int flags);
/* Explicit huge pages of pagesize (0: default). */
void *vmos_maphuge(size_t size, size_t pagesize);
int vmos_unmap(void *addr, size_t size);
/* Give pages back, keep the addresses: reads as zeros afterwards. */
int vmos_purge(void *addr, size_t size);
/* Make pages inaccessible, and accessible again. */
int vmos_protect(void *addr, size_t size);
int vmos_unprotect(void *addr, size_t size);
/* Ask for merging into huge pages. */
int vmos_askhuge(void *addr, size_t size);
/* Touch pages ahead, all at once, for writing; nothing happens where the system cannot. */
void vmos_populate(void *addr, size_t size);
/* Bytes of addresses that the process may have in all (ulimit -v), SIZE_MAX: no limit. */
size_t vmos_addressmost(void);
/* Move the pages of [from, from+size) to `to` (both mapped by vmos_map, no overlap) without
 * copying; afterwards [from, from+size) is mapped and reads as zeros.  -1: cannot; all is still
 * mapped, and `from` as it was, but what `to` held may be lost.  Slower than copying for less
 * than some 100 KiB. */
int vmos_movepages(void *to, void *from, size_t size);
/* Name a mapping for /proc/PID/maps; nothing happens where the system cannot. */
void vmos_name(void *addr, size_t size, const char *name);
/* Memory policy: mode 0 bind, 1 prefer, 2 interleave; nodes: bit mask. */
int vmos_numa(void *addr, size_t size, int mode, unsigned long nodes);
/* sbrk(): old break, or NULL. */
void *vmos_sbrk(ptrdiff_t incr);

/* ---- locks (os_lock_*.c) ---- */

/* A lock of two words that may lie anywhere, all zeros when free.  It knows the thread that holds
 * it: the word is 0, or the holder's mark, with VMOS_WAITED when other threads may sleep.  So there is
 * no moment at which it is held by nobody, not even in a signal handler.  It never allocates. */
typedef struct vmos_lock {
    uint32_t word;
    uint32_t wait; /* times a thread had to wait */
} vmos_lock_t;

#define VMOS_WAITED 0x80000000u
void vmos_lock_slow(vmos_lock_t *lk);
void vmos_unlock_slow(vmos_lock_t *lk);

/* ---- locks between processes (os_robust_*.c) ---- */

/* The same two words, in memory that processes share; word is 0 or the number of the process that
 * holds it (1 to 0x7fffffff, the caller knows of whom), with VMOS_WAITED.  Threads of one process take
 * it from each other like those of several; who holds it among them is the caller's to know. */
typedef int (*vmos_alive_f)(void *arg, uint32_t who);

/* Take the lock for process `me`.  0; 1: its holder died, and left what it guards as it was at that
 * moment.  alivef tells whether a process lives; it is asked before the first sleep and again every
 * few ms, so that a process may die anywhere, also when it was to wake another one. */
int vmos_robust_slow(vmos_lock_t *lk, uint32_t me, vmos_alive_f alivef, void *arg);
VMOS_INLINE int vmos_robust_lock(vmos_lock_t *lk, uint32_t me, vmos_alive_f alivef, void *arg)
{
    uint32_t zero = 0;
    if (VMOS_LIKELY(__atomic_compare_exchange_n(&lk->word, &zero, me, 0, __ATOMIC_ACQUIRE,
                                                __ATOMIC_RELAXED)))
        return 0;
    return vmos_robust_slow(lk, me, alivef, arg);
}
void vmos_robust_wake(vmos_lock_t *lk);
VMOS_INLINE void vmos_robust_unlock(vmos_lock_t *lk)
{
    if (VMOS_UNLIKELY(__atomic_exchange_n(&lk->word, 0, __ATOMIC_RELEASE) & VMOS_WAITED))
        vmos_robust_wake(lk);
}

/* ---- threads (os_thread_*.c) ---- */

/* A number for the calling thread, never 0, that no other living thread of the process has. */
uintptr_t vmos_self_slow(void);
VMOS_INLINE uintptr_t vmos_self(void)
{
#if defined(__x86_64__) && defined(__linux__) && !defined(__ILP32__)
    uintptr_t tp;
    __asm__("movq %%fs:0, %0" : "=r"(tp));
    return tp;
#elif defined(__aarch64__) && defined(__linux__)
    uintptr_t tp;
    __asm__("mrs %0, tpidr_el0" : "=r"(tp));
    return tp;
#elif defined(__x86_64__) && defined(_WIN32)
    uintptr_t teb;
    __asm__("movq %%gs:0x30, %0" : "=r"(teb));
    return teb;
#else
    return vmos_self_slow();
#endif
}

/* What stands for the calling thread in a lock: threads' numbers differ in these bits unless their
 * descriptors lie a multiple of 32 GiB apart. */
VMOS_INLINE uint32_t vmos_mark(void)
{
    return ((uint32_t)(vmos_self() >> 4) & ~VMOS_WAITED) | 1;
}

/* 0 when the lock was taken, -1 when it is held. */
VMOS_INLINE int vmos_trylock(vmos_lock_t *lk)
{
    uint32_t zero = 0;
    return __atomic_compare_exchange_n(&lk->word, &zero, vmos_mark(), 0, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED)
               ? 0
               : -1;
}

VMOS_INLINE void vmos_lock(vmos_lock_t *lk)
{
    if (VMOS_UNLIKELY(vmos_trylock(lk) != 0))
        vmos_lock_slow(lk);
}

VMOS_INLINE void vmos_unlock(vmos_lock_t *lk)
{
    if (VMOS_UNLIKELY(__atomic_exchange_n(&lk->word, 0, __ATOMIC_RELEASE) & VMOS_WAITED))
        vmos_unlock_slow(lk);
}

/* Whether the lock is held, and by the calling thread. */
VMOS_INLINE int vmos_locked(const vmos_lock_t *lk)
{
    return __atomic_load_n(&lk->word, __ATOMIC_RELAXED) != 0;
}
VMOS_INLINE int vmos_lockedbyme(const vmos_lock_t *lk)
{
    return (__atomic_load_n(&lk->word, __ATOMIC_RELAXED) & ~VMOS_WAITED) == vmos_mark();
}

/* Let one that waits look again: who was to wake it has left by longjmp() after it set the lock free, or
 * before it took what it was woken for. */
VMOS_INLINE void vmos_lock_wake(vmos_lock_t *lk)
{
    vmos_unlock_slow(lk);
}

/* Have f() called in each watched thread when it ends; once, before any thread is watched.  A
 * second call with another f fails (EBUSY).  Where the thread comes back after f() and is watched
 * again, f() may be called again. */
int vmos_onthreadexit(void (*f)(void));
/* The calling thread shall be noticed when it ends.  libc may call malloc() for this once in a
 * thread: note first that the thread is watched. */
void vmos_watchthread(void);

/* Handlers around fork(), once; libc may call malloc() for this. */
int vmos_onfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

/* Whether vmos_barrier() is a memory barrier in every thread of the process, and not only in the
 * calling one.  It takes microseconds. */
int vmos_barrier_ready(void);
void vmos_barrier(void);

void vmos_yield(void);
int vmos_cpus(void);

/* ---- objects that processes map: files and named or nameless memory (os_object*.c) ---- */

typedef struct vmos_object {
    uint64_t dev, ino, size;
    unsigned long uid;
    int named; /* some name leads to it */
} vmos_object_t;

#define VMOS_CREATE 1 /* make it when it is not there */
#define VMOS_MEMORY 2 /* path is a name for memory, without '/' */

/* Open for reading and writing: close-on-exec, a high number, mode for what is created, whatever the
 * umask.  EINVAL: it is no file or memory. */
int vmos_object_open(const char *path, int flags, unsigned mode);
/* A second way to what fd leads to, with locks of its own.  Linux needs /proc for this. */
int vmos_object_again(int fd);
void vmos_object_close(int fd);
int vmos_object_stat(int fd, vmos_object_t *st);
int vmos_object_remove(const char *path, int flags);
/* Have memory for [from, to), so that storing there cannot fail; only when that cannot be told of
 * this object it is made longer. */
int vmos_object_grow(int fd, uint64_t from, uint64_t to);
/* Cut to size bytes. */
int vmos_object_cut(int fd, uint64_t size);
/* Give the memory of [from, to) back: reads as zeros. */
int vmos_object_punch(int fd, uint64_t from, uint64_t to);
/* Read n bytes from `from` on; what lies behind the end is not read. */
int vmos_object_read(int fd, void *buf, size_t n, uint64_t from);
/* Write n bytes there. */
int vmos_object_write(int fd, const void *buf, size_t n, uint64_t to);
/* Map the first size bytes exactly at addr, where nothing is mapped yet (else EEXIST), shared with all who
 * map them; pages are fetched one by one.  What lies behind the end can be used once the object is made longer
 * (vmos_object_grow()); systems where that cannot be make it longer now, by bytes that take no room. */
int vmos_object_map(int fd, void *addr, size_t size);
int vmos_object_unmap(void *addr, size_t size);
/* Hand what was written to the device. */
int vmos_object_sync(void *addr, size_t size, int wait);

/* Lock number n of an object: held through one descriptor and its copies, let go when the last of them
 * is closed, however its process ends.  wait 0: -1 (EAGAIN) when it is held through another one. */
int vmos_object_lock(int fd, unsigned n, int wait);
int vmos_object_unlock(int fd, unsigned n);
/* Whether it is held through another descriptor: 1, 0, or -1. */
int vmos_object_locked(int fd, unsigned n);

/* ---- the rest (os_misc_*.c) ---- */

uint64_t vmos_nanotime(void);    /* monotonic, nanoseconds */
uint64_t vmos_threadtime(void);  /* processor time of this thread, nanoseconds; about 0.4 us */
uint64_t vmos_coarsetime(void);  /* monotonic, milliseconds, cheap, some ms off */
uint64_t vmos_random(void);      /* unpredictable where the system can */
long vmos_pid(void);
unsigned long vmos_uid(void); /* whose files are the process' own */
/* What tells this boot of the system, and the numbers of processes as this one sees them, from
 * others; and when process pid, if it is there and has not ended, began.  0: not known. */
uint64_t vmos_bootid(void);
uint64_t vmos_pidspace(void);
uint64_t vmos_began(long pid);
/* Value of an environment variable, NULL when unset and always NULL in set-user-ID programs.
 * Usable before main() and before libc has set itself up. */
const char *vmos_getenv(const char *name);
/* Write all of it, restarting after signals. */
int vmos_write(int fd, const void *buf, size_t n);
/* Open a file for output (created 0644, or truncated; close-on-exec, moved to a high number). */
int vmos_create(const char *path);
/* A copy of a descriptor: close-on-exec, with a high number. */
int vmos_copyfd(int fd);
/* Let other processes of the user look into this one, where the system would not (-1: it has no
 * such call). */
int vmos_letlook(void);
void vmos_abort(void) __attribute__((noreturn));

/* ---- files written through mappings (os_file.c) ---- */

/* A file for this process alone, created or made empty; -1 with EWOULDBLOCK: another one has it. */
int vmos_file_own(const char *path);
/* The same file again, as it is and not locked. */
int vmos_file_again(const char *path);
void vmos_file_close(int fd);
/* What tells a file from all others. */
int vmos_file_id(int fd, uint64_t id[2]);
/* Reserve and map bytes of a file, which grows as need be; offset and size are multiples of 64 KiB.
 * To be undone by vmos_unmap(). */
void *vmos_file_map(int fd, uint64_t offset, size_t size);
/* The same at addr, in place of what is mapped there.  0, -1: that is as it was. */
int vmos_file_mapat(int fd, uint64_t offset, void *addr, size_t size);
/* Cut the file off, or lengthen it.  0 or -1. */
int vmos_file_resize(int fd, uint64_t size);

/* ---- about the process (os_proc_*.c) ---- */

/* Bytes of memory that the process has in use; 0: not known. */
size_t vmos_resident(void);
/* Its arguments, each ended by 0, and the path of its program, without an end mark: how many bytes
 * were put there, at most size; 0: not known. */
size_t vmos_arguments(char *to, size_t size);
size_t vmos_program(char *to, size_t size);
/* Nanoseconds since 1970. */
uint64_t vmos_walltime(void);
long vmos_parent(void);
/* f(signal) is called in the handler of a signal; what is interrupted goes on.  0 or -1. */
int vmos_onsignal(int signal, void (*f)(int));

#endif
