/* SPDX-License-Identifier: MIT */
/* The command vmalloc: finds the subcommand and hands over. */
#include "symbols.h"
#include "tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <vmalloc.h>

static const struct command {
    const char *name;
    int (*mainf)(int argc, char **argv);
    const char *what;
} commands[] = {
    {"run", tool_run, "run a program on vmalloc instead of the system's malloc"},
    {"report", tool_report, "tell what is in a profile"},
    {"image", tool_image, "look at, check and tend regions in files"},
    {"symbols", tool_symbols, "name functions and lines of addresses, as reports need it"},
    {"top", tool_top, "show what the regions of a running program hold"},
    {"replay", tool_replay, "run a trace on several allocators and compare them"},
};

int tool_fail(int status, const char *format, ...)
{
    va_list args;

    fputs("vmalloc: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return status;
}

static void print_help(FILE *to)
{
    size_t i;

    fputs("Usage: vmalloc COMMAND ARGUMENTS...\n\n", to);
    for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].what);
    fputs("\n\"vmalloc COMMAND --help\" tells more; \"vmalloc --version\" prints the version.\n", to);
}

static const struct command *find(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        print_help(stderr);
        return TOOL_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("vmalloc %s, interface of %ld\nsymbols: %s\n", VMALLOC_RELEASE, VMALLOC_VERSION, symbols_version());
        return 0;
    }
    command = find(argv[1]);
    if (!command)
        return tool_fail(TOOL_USAGE, "there is no command \"%s\"; see \"vmalloc --help\"", argv[1]);
    return command->mainf(argc - 1, argv + 1);
}
