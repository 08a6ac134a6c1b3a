/* SPDX-License-Identifier: MIT */
/*
 * Another process.  The mark of the library is looked for in what is writable and belongs to a file:
 * the data of the program and of its libraries, some 100 KiB, at multiples of 16.
 */
#define _GNU_SOURCE 1
#include "process.h"
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <vmalloc/stat.h>

#define PIECE 65536
#define MOST ((uint64_t)64 << 20) /* of a mapping that is searched */

static int direct(const struct process *p, const void *addr, void *buf, size_t size)
{
#if defined(__linux__)
    struct iovec to = {buf, size}, from = {(void *)(uintptr_t)addr, size};

    return process_vm_readv((pid_t)p->pid, &to, 1, &from, 1, 0) == (ssize_t)size ? 0 : -1;
#else
    (void)p, (void)addr, (void)buf, (void)size;
    errno = ENOSYS;
    return -1;
#endif
}

int process_read(const void *addr, void *buf, size_t size, void *handle)
{
    const struct process *p = handle;

    if (direct(p, addr, buf, size) == 0)
        return 0;
    if (p->memory < 0 || (errno != ENOSYS && errno != EPERM))
        return -1;
    return pread(p->memory, buf, size, (off_t)(uintptr_t)addr) == (ssize_t)size ? 0 : -1;
}

/* ---- the marks ---- */

static void note(struct process *p, uint64_t addr)
{
    const void *self = NULL;

    if (process_read((void *)(uintptr_t)(addr + VM_PEEKMAGICSIZE), &self, sizeof(self), p) == 0 &&
        (uintptr_t)self == addr && p->marks < PROCESS_MARKS)
        p->mark[p->marks++] = self;
}

/* 0; -1: nothing could be read. */
static int search(struct process *p, uint64_t from, uint64_t to)
{
    static char piece[PIECE];
    int read = -1;

    if (to - from > MOST)
        to = from + MOST;
    for (; from < to; from += PIECE) {
        size_t n = to - from < PIECE ? (size_t)(to - from) : PIECE, i;
        if (process_read((void *)(uintptr_t)from, piece, n, p) != 0)
            continue;
        read = 0;
        for (i = 0; i + VM_PEEKMAGICSIZE <= n; i += 16)
            if (memcmp(piece + i, VM_PEEKMAGIC, VM_PEEKMAGICSIZE) == 0)
                note(p, from + i);
    }
    return read;
}

static int find_marks(struct process *p)
{
    char path[64], line[4352], rights[8];
    unsigned long long from, to, inode;
    int seen = -1, e = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/maps", p->pid);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "%llx-%llx %7s %*s %*s %llu", &from, &to, rights, &inode) == 4 &&
            rights[0] == 'r' && rights[1] == 'w' && rights[3] == 'p' && inode != 0) {
            if (search(p, from, to) == 0)
                seen = 0;
            else
                e = errno;
        }
    if (!f)
        e = errno;
    else
        fclose(f);
    errno = e ? e : ESRCH;
    return seen;
}

/* ---- what to do when it cannot be read ---- */

static int yama(void)
{
    FILE *f = fopen("/proc/sys/kernel/yama/ptrace_scope", "r");
    int scope = 0;

    if (f) {
        if (fscanf(f, "%d", &scope) != 1)
            scope = 0;
        fclose(f);
    }
    return scope;
}

static int refused(const struct process *p)
{
    if (errno != EPERM && errno != EACCES)
        return tool_fail(TOOL_CANNOT, "process %ld cannot be read: %s", p->pid, strerror(errno));
    if (yama() > 0)
        return tool_fail(TOOL_CANNOT,
                         "process %ld may not be looked into, as kernel.yama.ptrace_scope is %d: run this "
                         "as root, or start the program by \"vmalloc run --options=top\"",
                         p->pid, yama());
    return tool_fail(TOOL_CANNOT,
                     "process %ld may not be looked into: it is another user's or a set-user-ID program; "
                     "run this as root", p->pid);
}

static void read_name(struct process *p)
{
    char path[64];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/comm", p->pid);
    f = fopen(path, "r");
    if (!f || !fgets(p->name, sizeof(p->name), f))
        p->name[0] = '\0';
    p->name[strcspn(p->name, "\n")] = '\0';
    if (f)
        fclose(f);
}

int process_open(struct process *p, const char *pid)
{
    char path[64], *end;

    memset(p, 0, sizeof(*p));
    p->memory = p->pagemap = -1;
    p->pid = strtol(pid, &end, 10);
    if (*end != '\0' || p->pid <= 0)
        return tool_fail(TOOL_USAGE, "\"%s\" is not the number of a process", pid);
    if (!process_runs(p))
        return tool_fail(TOOL_CANNOT, "there is no process %ld", p->pid);
    read_name(p);
    snprintf(path, sizeof(path), "/proc/%ld/mem", p->pid);
    p->memory = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/%ld/pagemap", p->pid);
    p->pagemap = open(path, O_RDONLY | O_CLOEXEC);
    if (find_marks(p) != 0)
        return refused(p);
    if (p->marks == 0)
        return tool_fail(TOOL_CANNOT, "process %ld (%s) does not run on vmalloc: start it by \"vmalloc run\"",
                         p->pid, p->name);
    return 0;
}

void process_close(struct process *p)
{
    if (p->memory >= 0)
        close(p->memory);
    if (p->pagemap >= 0)
        close(p->pagemap);
}

int process_runs(const struct process *p)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%ld", p->pid);
    return access(path, F_OK) == 0;
}

/* ---- pages ---- */

uint64_t process_resident(const struct process *p, const void *addr, size_t size)
{
    uint64_t entry[512], page = (uint64_t)sysconf(_SC_PAGESIZE), n = 0;
    uint64_t at = (uintptr_t)addr / page, end = ((uintptr_t)addr + size + page - 1) / page;

    while (p->pagemap >= 0 && at < end) {
        uint64_t want = end - at < 512 ? end - at : 512, i;
        ssize_t got = pread(p->pagemap, entry, want * 8, (off_t)(at * 8));
        if (got < 8)
            break;
        for (i = 0; i < (uint64_t)got / 8; i++)
            n += entry[i] >> 63; /* present */
        at += (uint64_t)got / 8;
    }
    return n * page;
}
