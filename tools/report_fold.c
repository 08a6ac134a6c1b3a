/* SPDX-License-Identifier: MIT */
/*
 * report_fold: of a stack, what the reader of a text can do something about.
 *
 *   malloc in sqlite3Malloc, 14 frames of libsqlite3, sqlite3_prepare_v2, find, main
 *                                                     sqlite3_prepare_v2, find, main
 *
 * Of frames that follow one another in the system's libraries, or in the C++ library, the one stays that
 * the program called; of the C++ library none at the inner end.  What is beyond the program's outermost
 * function stays as it is, and so does a stack in which no function is the program's own; _start is none.
 *
 * Libraries of the system are those in its folders.  Where the program itself is one of the system's,
 * its libraries are what it is made of, and stay.
 */
#include "report.h"

#include <string.h>

static int begins(const char *path, const char *const *folders, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (strncmp(path, folders[i], strlen(folders[i])) == 0)
            return 1;
    return 0;
}

/* /lib/, /lib64/ and such, in /usr too; not /library/. */
static int in_libraries(const char *path)
{
    static const char *const folders[] = {"/", "32/", "64/", "x32/", "exec/"};

    path += strncmp(path, "/usr/", 5) == 0 ? 4 : 0;
    return strncmp(path, "/lib", 4) == 0 &&
           begins(path + 4, folders, sizeof(folders) / sizeof(*folders));
}

int report_is_library(const char *module, const char *exe)
{
    static const char *const programs[] = {"/bin/",      "/sbin/",      "/usr/bin/",
                                           "/usr/sbin/", "/usr/games/", "/opt/"};

    return (in_libraries(module) || strncmp(module, "[vdso]", 6) == 0) && *exe &&
           !in_libraries(exe) && !begins(exe, programs, sizeof(programs) / sizeof(*programs));
}

static int aside(const report_frame_t *f)
{
    return f->library || f->inner;
}

size_t report_fold(const report_frame_t *frames, uint32_t *stack, size_t n)
{
    size_t i, kept = 0, last = n;

    while (last > 0 && aside(&frames[stack[last - 1]]))
        last--;
    if (last == 0)
        return n;
    for (i = 0; i < n; i++) {
        const report_frame_t *f = &frames[stack[i]];
        int again = i + 1 < n && aside(f) && aside(&frames[stack[i + 1]]);

        if (i < last ? again || (kept == 0 && f->inner) : again && f->inner)
            continue;
        stack[kept++] = stack[i];
    }
    return kept;
}
