/* SPDX-License-Identifier: MIT */
/*
 * vmalloc symbols: what a running program asks for the names in its reports, and what anybody may
 * ask.  Says hello, then answers line by line:
 *
 *   -> PATH BUILDID HEXOFFSET
 *   <- FUNCTION \t FILE:LINE      innermost inlined function first; "?" where one is unknown
 *   <-                            an empty line ends each answer
 */
#include "symbols.h"
#include "tool.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* The C++ library of the system knows best how its names are made.  A program in C++ has it; where
 * there is none, names stay as they are. */
const char *symbols_demangled(const char *name)
{
    typedef char *demangle_f(const char *, char *, size_t *, int *);
    static demangle_f *demangle;
    static int looked;
    static char *text;
    int status = -1;

    if (strncmp(name, "_Z", 2) != 0)
        return name;
    if (!looked) {
        void *library = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL);
        if (!library)
            library = dlopen("libc++abi.so.1", RTLD_NOW | RTLD_LOCAL);
        if (library)
            *(void **)&demangle = dlsym(library, "__cxa_demangle");
        looked = 1;
    }
    if (!demangle)
        return name;
    free(text);
    text = demangle(name, NULL, NULL, &status);
    return status == 0 && text ? text : name;
}

static void print_help(void)
{
    puts("Usage: vmalloc symbols\n"
         "Read lines \"PATH BUILDID HEXOFFSET\" from standard input: a program or library, its\n"
         "build-id in hex or \"-\", an address in it. Answer each with lines\n"
         "\"FUNCTION<tab>FILE:LINE\", inlined functions first, and an empty line. The first line\n"
         "of output is \"vmalloc symbols 1\". A file with another build-id is not used; debug\n"
         "information is also sought in /usr/lib/debug.");
}

static void print(const symbol_t *s, void *arg)
{
    (void)arg;
    printf("%s\t%s:%d\n", *s->function ? s->function : "?", *s->file ? s->file : "?", s->line);
}

/* Cut off the last word, which a space precedes; NULL when there is none. */
static char *last_word(char *line)
{
    char *space = strrchr(line, ' ');

    if (!space)
        return NULL;
    *space = '\0';
    return space + 1;
}

/* A line that makes no sense is answered as one of which nothing is known. */
static void answer(char *line)
{
    char *offset = last_word(line), *id = offset ? last_word(line) : NULL, *end;
    unsigned long long at;

    if (id && *offset) {
        errno = 0;
        at = strtoull(offset, &end, 16);
        if (errno == 0 && *end == '\0')
            symbols_find(line, id, at, print, NULL);
    }
    putchar('\n');
    fflush(stdout);
}

int tool_symbols(int argc, char **argv)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return print_help(), 0;
    if (argc > 1)
        return tool_fail(TOOL_USAGE, "symbols takes no arguments; see \"vmalloc symbols --help\"");
    puts("vmalloc symbols 1");
    fflush(stdout);
    while ((n = getline(&line, &room, stdin)) > 0) {
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        answer(line);
    }
    free(line);
    return ferror(stdout) ? TOOL_CANNOT : 0;
}
