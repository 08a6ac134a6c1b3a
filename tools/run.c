/* SPDX-License-Identifier: MIT */
/*
 * vmalloc run: puts the malloc interface into LD_PRELOAD and the options into VMALLOC_OPTIONS, and
 * becomes the program.
 *
 * The library is $VMALLOC_LIB if that is set; else it lies beside the command, as in the build
 * tree, or where installation puts it relative to the command, so that a tree can be moved.
 */
#include "run.h"
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libvmalloc-malloc.so"

/* From the folder of binaries to that of libraries, as the build was told. */
#ifndef VMALLOC_LIBDIR_FROM_BIN
#define VMALLOC_LIBDIR_FROM_BIN "../lib"
#endif
#ifndef VMALLOC_SOVERSION
#define VMALLOC_SOVERSION "1"
#endif

static const char *const folders[] = {".", VMALLOC_LIBDIR_FROM_BIN, "../lib", "../lib64"};
/* Without the files for building programs only the name with the number is there. */
static const char *const numbers[] = {"", "." VMALLOC_SOVERSION};
static const char *const methods[] = {"best", "last", "pool"};

struct request {
    const char *method;  /* NULL: the library's own choice */
    const char *options; /* NULL: none beside the method */
    const char *debug;   /* options of Vmdebug; NULL: not under it */
    const char *trace;   /* NULL: none */
    const char *profile; /* NULL: none; "": into a file named after the program */
    int verbose;
};

static void print_help(void)
{
    puts("Usage: vmalloc run [OPTION]... [--] PROGRAM ARGUMENTS...\n"
         "Run an unmodified program on vmalloc instead of the system's malloc.\n"
         "\n"
         "  --method=M     how blocks are cut: best (general purpose), last (free nothing but the\n"
         "                 last block), pool (blocks of one size)\n"
         "  --debug[=STR]  find errors in the use of memory; options separated by commas, such as\n"
         "                 guard, leaks, abort, exitcode=1: see VMDEBUG in vmalloc-options(7)\n"
         "  --options=STR  options of the library, separated by commas; see vmalloc-options(7)\n"
         "  --profile[=FILE[,WORD]...]\n"
         "                 record who asks for memory, for \"vmalloc report\"; words are those of the\n"
         "                 option profile in vmalloc-options(7): with \"sample\" it costs nearly nothing\n"
         "  --trace=FILE   record its calls for \"vmalloc replay\": in lines, or if FILE ends in .vmt\n"
         "                 in the binary form; %p is the process number, and children have it behind\n"
         "                 the name\n"
         "  --verbose      print what is set before the program starts\n"
         "\n"
         "Options are added to those in VMALLOC_OPTIONS and override them. VMALLOC_LIB names the\n"
         "library to load, if not the one that came with this command. The exit status is the\n"
         "program's; 126 if the library or the program cannot be used, 127 if there is no such\n"
         "program.");
}

static int known_method(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(methods) / sizeof(*methods); i++)
        if (strcmp(methods[i], name) == 0)
            return 1;
    return 0;
}

/* Folder of this executable, without a trailing slash.  0, or -1 when the system does not tell. */
static int own_folder(char folder[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    char *slash;

    if (length <= 0)
        return -1;
    folder[length] = '\0';
    slash = strrchr(folder, '/');
    if (!slash)
        return -1;
    *slash = '\0';
    return 0;
}

int tool_library(char *path)
{
    const char *named = getenv("VMALLOC_LIB");
    char folder[PATH_MAX], candidate[2 * PATH_MAX];
    size_t i, j;

    if (named && *named) {
        if (!realpath(named, path) || access(path, R_OK) != 0)
            return tool_fail(TOOL_CANNOT, "VMALLOC_LIB=%s: %s", named, strerror(errno));
        return 0;
    }
    if (own_folder(folder) != 0)
        return tool_fail(TOOL_CANNOT, "cannot tell where I am: set VMALLOC_LIB to the path of %s",
                         LIBRARY);
    for (i = 0; i < sizeof(folders) / sizeof(*folders); i++)
        for (j = 0; j < sizeof(numbers) / sizeof(*numbers); j++) {
            snprintf(candidate, sizeof(candidate), "%s/%s/" LIBRARY "%s", folder, folders[i],
                     numbers[j]);
            if (realpath(candidate, path) && access(path, R_OK) == 0)
                return 0;
        }
    return tool_fail(TOOL_CANNOT, "%s is neither in %s nor in %s/%s: set VMALLOC_LIB to its path",
                     LIBRARY, folder, folder, VMALLOC_LIBDIR_FROM_BIN);
}

/* Put text before (or after) what the variable holds.  NULL or "" leaves it as it is. */
static int extend_variable(const char *name, const char *text, char separator, int before)
{
    const char *old = getenv(name);
    size_t size;
    char *value;
    int result;

    if (!text || !*text)
        return 0;
    if (!old || !*old)
        return setenv(name, text, 1);
    size = strlen(old) + strlen(text) + 2;
    value = malloc(size);
    if (!value)
        return -1;
    snprintf(value, size, "%s%c%s", before ? text : old, separator, before ? old : text);
    result = setenv(name, value, 1);
    free(value);
    return result;
}

/* The option for a trace: its path whole, as the program may go to another folder.  0, or the exit
 * status after a message. */
static int trace_option(const char *path, char *option, size_t size)
{
    char folder[PATH_MAX] = "";

    if (!path)
        return 0;
    if (path[0] != '/' && path[0] != '&' && !getcwd(folder, sizeof(folder)))
        return tool_fail(TOOL_CANNOT, "--trace=%s: %s", path, strerror(errno));
    if (!*path || strpbrk(path, ", \t\r\n") || strpbrk(folder, ", \t\r\n"))
        return tool_fail(TOOL_CANNOT, "--trace=%s: a path with a comma or a space cannot be passed on",
                         path);
    snprintf(option, size, "trace=%s%s%s", folder, folder[0] ? "/" : "", path);
    return 0;
}

/* Of several methods the library takes the first, of other options the last: hence the order. */
static int set_environment(const struct request *want, const char *library, const char *program)
{
    char method[32] = "", trace[2 * PATH_MAX] = "", profile[3 * PATH_MAX] = "";
    int status = trace_option(want->trace, trace, sizeof(trace));

    if (status == 0 && want->profile)
        status = run_profile_option(want->profile, program, profile, sizeof(profile));
    if (status != 0)
        return status;
    if (want->method)
        snprintf(method, sizeof(method), "method=%s", want->method);
    if (extend_variable("LD_PRELOAD", library, ':', 1) != 0 ||
        extend_variable("VMDEBUG", want->debug, ',', 0) != 0 ||
        extend_variable("VMALLOC_OPTIONS", method, ',', 1) != 0 ||
        extend_variable("VMALLOC_OPTIONS", trace, ',', 0) != 0 ||
        extend_variable("VMALLOC_OPTIONS", profile, ',', 0) != 0 ||
        extend_variable("VMALLOC_OPTIONS", want->options, ',', 0) != 0)
        return tool_fail(TOOL_CANNOT, "cannot set the environment: %s", strerror(errno));
    return 0;
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct request *want)
{
    static const struct option known[] = {
        {"debug", optional_argument, NULL, 'd'},  {"method", required_argument, NULL, 'm'},
        {"options", required_argument, NULL, 'o'},
        {"trace", required_argument, NULL, 't'},  {"profile", optional_argument, NULL, 'p'},
        {"verbose", no_argument, NULL, 'v'},      {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static char name[] = "vmalloc run";
    int c;

    argv[0] = name;
    while ((c = getopt_long(argc, argv, "+h", known, NULL)) != -1) {
        if (c == 'd')
            want->debug = optarg && *optarg ? optarg : "1";
        else if (c == 'm')
            want->method = optarg;
        else if (c == 'o')
            want->options = optarg;
        else if (c == 't')
            want->trace = optarg;
        else if (c == 'p')
            want->profile = optarg ? optarg : "";
        else if (c == 'v')
            want->verbose = 1;
        else if (c == 'h')
            return print_help(), 0;
        else
            return TOOL_USAGE;
    }
    if (want->method && !known_method(want->method))
        return tool_fail(TOOL_USAGE, "there is no method \"%s\": best, last, pool", want->method);
    if (optind == argc)
        return tool_fail(TOOL_USAGE, "no program named; see \"vmalloc run --help\"");
    return -1;
}

static void tell(const struct request *want, char *const *program)
{
    const char *options = getenv("VMALLOC_OPTIONS");

    if (!want->verbose)
        return;
    fprintf(stderr, "vmalloc: LD_PRELOAD=%s VMALLOC_OPTIONS=%s", getenv("LD_PRELOAD"),
            options ? options : "");
    for (; *program; program++)
        fprintf(stderr, " %s", *program);
    fputc('\n', stderr);
}

static int become(char **program)
{
    execvp(program[0], program);
    return tool_fail(errno == ENOENT ? TOOL_NOTFOUND : TOOL_CANNOT, "%s: %s", program[0],
                     strerror(errno));
}

int tool_run(int argc, char **argv)
{
    struct request want = {0};
    char library[PATH_MAX];
    int status;

    status = parse(argc, argv, &want);
    if (status >= 0)
        return status;
    status = tool_library(library);
    if (status != 0)
        return status;
    if (strpbrk(library, " :"))
        return tool_fail(TOOL_CANNOT, "%s: a path with a space or a colon cannot be preloaded",
                         library);
    status = set_environment(&want, library, argv[optind]);
    if (status != 0)
        return status;
    tell(&want, argv + optind);
    return want.profile ? run_profile(argv + optind, become) : become(argv + optind);
}
