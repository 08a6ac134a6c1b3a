/* SPDX-License-Identifier: MIT */
/* Runs where there is no fork(): in the process itself, whose end is then that of the test. */
#include "model.h"

#include <io.h>

int run_apart(const setup_t *s, const op_t *ops, const size_t *keep, size_t n, char message[256])
{
    const char *w = run_ops(s, ops, keep, n);
    snprintf(message, 256, "%s", w != NULL ? w : "");
    return w != NULL ? -1 : 0;
}

int hush(void)
{
    int old = _dup(2);
    return freopen("NUL", "w", stderr) != NULL ? old : -1;
}
