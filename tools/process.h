/* SPDX-License-Identifier: MIT */
/* Another process, as /proc shows it: its memory, and where the library's marks are in it. */
#ifndef VMALLOC_TOOL_PROCESS_H
#define VMALLOC_TOOL_PROCESS_H 1

#include <stddef.h>
#include <stdint.h>

#define PROCESS_MARKS 8

struct process {
    long pid;
    int memory;   /* /proc/PID/mem, -1: not open; used where process_vm_readv() cannot */
    int pagemap;  /* -1: what is resident cannot be told */
    const void *mark[PROCESS_MARKS];
    size_t marks; /* one for each library in the process */
    char name[64];
};

/* Find the marks.  0, or the exit status after a message. */
int process_open(struct process *p, const char *pid);
void process_close(struct process *p);
/* A Vmread_f; handle is the process.  Sets errno. */
int process_read(const void *addr, void *buf, size_t size, void *handle);
/* Bytes of [addr, addr+size) that are in memory. */
uint64_t process_resident(const struct process *p, const void *addr, size_t size);
/* The process still runs. */
int process_runs(const struct process *p);

#endif
