/* SPDX-License-Identifier: MIT */
/*
 * The shrinking of a list that fails.
 *
 * Delta debugging (Zeller and Hildebrandt, 2002) in its simplest form: leave out stretches of half
 * the list, a quarter, ..., one operation, keep what still fails, until nothing can be left out.
 */
#include "model.h"

#include <time.h>
#include <unistd.h>

size_t shrink(const setup_t *s, const op_t *ops, size_t *keep, size_t n, unsigned seconds)
{
    time_t end = time(NULL) + (time_t)seconds;
    size_t *less = (size_t *)malloc((n + 1) * sizeof *less), chunk = n / 2, from, cut;
    char message[256];
    int old = hush();
    while (chunk > 0 && time(NULL) < end) {
        cut = 0;
        for (from = 0; from < n && time(NULL) < end;) {
            size_t to = from + chunk < n ? from + chunk : n;
            memcpy(less, keep, from * sizeof *less);
            memcpy(less + from, keep + to, (n - to) * sizeof *less);
            if (run_apart(s, ops, less, n - (to - from), message) != 0) {
                n -= to - from;
                memcpy(keep, less, n * sizeof *less);
                cut++;
            } else
                from = to;
        }
        chunk = chunk > 1 ? (chunk < n ? chunk / 2 : n / 2) : cut ? 1 : 0;
    }
    free(less);
    if (old >= 0)
        dup2(old, 2);
    return n;
}
