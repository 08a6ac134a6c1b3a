/* SPDX-License-Identifier: MIT */
/* What the tests of traces share: a trace into a file, and its text. */
#ifndef TEST_TRACE_H
#define TEST_TRACE_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vmalloc/trace.h>

static char test_path[] = "/tmp/vmtraceXXXXXX";
static int test_fd = -1;

static inline void test_begin(void)
{
    strcpy(test_path, "/tmp/vmtraceXXXXXX");
    test_fd = mkstemp(test_path);
    assert_true(test_fd >= 0);
}

static inline void test_end(void)
{
    close(test_fd);
    unlink(test_path);
}

/* A file's contents with a zero behind them, for free(). */
static inline char *test_read(const char *path, size_t *size)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    char *text;
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    *size = (size_t)st.st_size;
    text = malloc(*size + 1);
    assert_int_equal(read(fd, text, *size), (ssize_t)*size);
    text[*size] = '\0';
    close(fd);
    return text;
}

#endif
