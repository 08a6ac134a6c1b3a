/* SPDX-License-Identifier: MIT */
/* Messages of Vmdebug, caught in a pipe: how many came since the last question, and the last text. */
#ifndef TEST_METHOD_DEBUG_H
#define TEST_METHOD_DEBUG_H 1

#include "debug.h"

#include <fcntl.h>
#include <unistd.h>

static int errors_pipe[2] = {-1, -1};
static char errors_buffer[65536];
static uint64_t errors_last;

/* Keeps the old text when nothing new came. */
static void errors_read(void)
{
    ssize_t n = read(errors_pipe[0], errors_buffer, sizeof errors_buffer - 1);
    if (n > 0)
        errors_buffer[n] = '\0';
}

static void errors_begin(void)
{
    if (errors_pipe[0] < 0) {
        assert_int_equal(pipe(errors_pipe), 0);
        assert_true(fcntl(errors_pipe[0], F_SETFL, O_NONBLOCK) == 0);
        vmdebug(errors_pipe[1]);
        vmdg_options.limit = 0;
    }
    errors_read();
    errors_last = vmdg_errors();
}

/* How many errors were found since the last call (or errors_begin()). */
static inline int errors_since(void)
{
    uint64_t now = vmdg_errors(), n = now - errors_last;
    errors_last = now;
    errors_read();
    return (int)n;
}

/* What was written since it was read last. */
static inline const char *errors_text(void)
{
    errors_read();
    return errors_buffer;
}

#endif
