/* SPDX-License-Identifier: MIT */
/* Memory without a name, for reading and writing, and whether it is there; see posix.h. */
#ifndef TEST_MMAN_H
#define TEST_MMAN_H 1

#include <stddef.h>

#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_PRIVATE 2
#define MAP_ANONYMOUS 32
#define MAP_FAILED ((void *)-1)

void *mmap(void *addr, size_t size, int access, int flags, int fd, long from);
int munmap(void *addr, size_t size); /* all of it */
int mincore(void *addr, size_t size, unsigned char *in);

#endif
