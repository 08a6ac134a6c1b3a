/* SPDX-License-Identifier: MIT */
/*
 * run_profile: "vmalloc run --profile": the option for the library, and a program that is waited
 * for, so that the command can name the file at the end.
 *
 * The profile is in its file whatever way the program ends; waiting is for the message only.
 */
#include "run.h"
#include "tool.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAMESIZE (2 * PATH_MAX + 64)

static char file[2 * PATH_MAX]; /* with %p in it */
static pid_t child;
static time_t begun;

/* ---- the option ---- */

static const char *name_of(const char *program)
{
    const char *slash = strrchr(program, '/');

    return slash ? slash + 1 : program;
}

/* FILE{,WORD} becomes profile=PATH{:WORD}, with the path whole, as the program may go to another
 * folder. */
int run_profile_option(const char *wanted, const char *program, char *option, size_t size)
{
    size_t length = wanted ? strcspn(wanted, ",") : 0, i, used;
    char folder[PATH_MAX] = "";

    if ((length == 0 || wanted[0] != '/') && !getcwd(folder, sizeof(folder)))
        return tool_fail(TOOL_CANNOT, "--profile: %s", strerror(errno));
    if (length > 0)
        snprintf(file, sizeof(file), "%s%s%.*s", folder, *folder ? "/" : "", (int)length, wanted);
    else
        snprintf(file, sizeof(file), "%s/%s.%%p.vmprof", folder, name_of(program));
    if (strpbrk(file, ", \t\r\n:"))
        return tool_fail(TOOL_CANNOT,
                         "%s: a path with a comma, a colon or a space cannot be passed on", file);
    used = (size_t)snprintf(option, size, "profile=%s%s", file, wanted ? wanted + length : "");
    for (i = strlen("profile="); i < used && i < size; i++)
        if (option[i] == ',')
            option[i] = ':';
    return used < size ? 0 : tool_fail(TOOL_USAGE, "--profile=%s: too long", wanted);
}

/* ---- the program ---- */

static void pass_on(int signal)
{
    kill(child, signal);
}

/* What a terminal sends it sends to both; what was sent to us is for the program. */
static void arrange_signals(void)
{
    struct sigaction a = {0};

    a.sa_handler = SIG_IGN;
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGQUIT, &a, NULL);
    a.sa_handler = pass_on;
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGHUP, &a, NULL);
    sigaction(SIGUSR1, &a, NULL);
    sigaction(SIGUSR2, &a, NULL);
}

/* The name for a process, "*": for all. */
static void name_file(char *to, size_t size, const char *process)
{
    const char *p = strstr(file, "%p");

    if (p)
        snprintf(to, size, "%.*s%s%s", (int)(p - file), file, process, p + 2);
    else
        snprintf(to, size, "%s%s", file, *process == '*' ? ".*" : "");
}

/* Those that this run wrote: others of the name may be there from earlier ones. */
static size_t count_new(const glob_t *found)
{
    struct stat st;
    size_t n = 0, i;

    for (i = 0; i < found->gl_pathc; i++)
        n += stat(found->gl_pathv[i], &st) == 0 && st.st_mtime >= begun;
    return n;
}

static void name_others(void)
{
    char pattern[NAMESIZE];
    size_t mine = strstr(file, "%p") != NULL;
    glob_t found;

    name_file(pattern, sizeof(pattern), "*");
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    if (count_new(&found) > mine)
        fprintf(stderr, "vmalloc: processes that it started have theirs: %s\n", pattern);
    globfree(&found);
}

static void name_profile(const char *program)
{
    char process[32], path[NAMESIZE];

    snprintf(process, sizeof(process), "%ld", (long)child);
    name_file(path, sizeof(path), process);
    if (access(path, R_OK) != 0) {
        tool_fail(0, "%s left no profile: it is linked statically, has other rights than you, or "
                  "cannot write %s", program, path);
        return;
    }
    fprintf(stderr, "vmalloc: to see the profile: vmalloc report %s\n", path);
    name_others();
}

static int wait_for(const char *program)
{
    int status;

    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return tool_fail(TOOL_CANNOT, "%s: %s", program, strerror(errno));
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    tool_fail(0, "%s was ended by signal %d, %s", program, WTERMSIG(status),
              strsignal(WTERMSIG(status)));
    return 128 + WTERMSIG(status);
}

int run_profile(char **program, int (*become)(char **program))
{
    int status;

    begun = time(NULL);
    child = fork();
    if (child < 0)
        return tool_fail(TOOL_CANNOT, "%s: %s", program[0], strerror(errno));
    if (child == 0)
        _exit(become(program));
    arrange_signals();
    status = wait_for(program[0]);
    if (status != TOOL_CANNOT && status != TOOL_NOTFOUND)
        name_profile(program[0]);
    return status;
}
