/* SPDX-License-Identifier: MIT */
/*
 * What the tests use of POSIX beyond what mingw-w64 has of it, in a few lines.  Included in front of each test
 * that is built for Windows, beside <sys/mman.h> and <sys/wait.h>, which stand in here for those of a Unix.  A
 * test that would fork() is skipped.
 */
#ifndef TEST_POSIX_H
#define TEST_POSIX_H 1

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Others of these names are in headers that are included by now. */
#define tell test_tell
#define gets test_gets
#define SIGBUS SIGSEGV
#define SIGKILL 9

/* This process alone; it ends with the signal's number. */
int kill(int pid, int signal);

#define F_SETFL 4
#define O_NONBLOCK 4
#define fcntl(fd, what, flags) ((void)(fd), (what) == F_SETFL && (flags) == O_NONBLOCK ? 0 : -1)
#define pipe(ends) _pipe(ends, 1 << 16, _O_BINARY)
/* None of it, though Wine shows that of one of its own programs. */
#define fopen(path, mode) (strncmp(path, "/proc/", 6) == 0 ? NULL : fopen(path, mode))
#define read posix_read
#define pread posix_pread

#define _SC_PAGESIZE 1
#define _SC_NPROCESSORS_CONF 2
long sysconf(int what);

/* As read(), and where fd is an empty pipe as if it had been set to O_NONBLOCK: one thread writes and reads. */
int posix_read(int fd, void *to, unsigned n);
int posix_pread(int fd, void *to, unsigned n, long from);

#endif
