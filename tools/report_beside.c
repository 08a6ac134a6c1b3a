/* SPDX-License-Identifier: MIT */
/*
 * report_beside: profiles of other processes that lie beside the one that is shown.
 *
 * A program that starts others, a shell script or env(1), has the file that was named, and theirs have
 * their numbers behind the name; who looks at the first only sees nothing of what he wanted.  What began
 * before is left from an earlier run.
 */
#include "report.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 3 /* that are named */

/* 0, -1: it is none of another process. */
static int read_head(const char *path, const Vmpfhead_t *mine, Vmpfhead_t *head)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(head, 1, sizeof(*head), f) : 0;

    if (f)
        fclose(f);
    return n == sizeof(*head) && memcmp(head->magic, VMPF_MAGIC, sizeof(head->magic)) == 0 &&
                   head->order == VMPF_ORDER && head->pid != mine->pid && head->started >= mine->started &&
                   memchr(head->command, '\0', sizeof(head->command))
               ? 0
               : -1;
}

/* The rest of the name is a number. */
static int is_numbered(const char *path, const char *of)
{
    const char *s = path + strlen(of) + 1;

    for (; isdigit((unsigned char)*s); s++)
        continue;
    return *s == '\0' && s[-1] != '.';
}

void report_beside(const report_t *r)
{
    const profile_t *p = r->profile;
    size_t i, n = 0, length = strlen(p->path);
    char *pattern = malloc(length + 3);
    Vmpfhead_t head;
    glob_t found;

    if (pattern)
        snprintf(pattern, length + 3, "%s.*", p->path);
    if (!pattern || strpbrk(p->path, "*?[\\") || glob(pattern, 0, NULL, &found) != 0) {
        free(pattern);
        return;
    }
    for (i = 0; i < found.gl_pathc; i++) {
        if (!is_numbered(found.gl_pathv[i], p->path) || read_head(found.gl_pathv[i], &p->head, &head) != 0)
            continue;
        if (n++ < MOST)
            fprintf(r->out, "  %-13s%s is that of %s\n", n == 1 ? "others" : "", found.gl_pathv[i],
                    head.command);
    }
    if (n > MOST)
        fprintf(r->out, "  %-13sand %zu more\n", "", n - MOST);
    globfree(&found);
    free(pattern);
}
