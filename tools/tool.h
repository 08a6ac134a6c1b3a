/* SPDX-License-Identifier: MIT */
/*
 * The command vmalloc: one function per subcommand, listed in the table of main.c.
 *
 * A subcommand gets its own name as argv[0] and returns the exit status.  Statuses of the command
 * itself: 2 for a command line that makes no sense, and those below, as of the shell and env(1).
 */
#ifndef VMALLOC_TOOL_H
#define VMALLOC_TOOL_H 1

#define TOOL_USAGE    2   /* the command line makes no sense */
#define TOOL_CANNOT   126 /* a file is there but cannot be used; the library is not there */
#define TOOL_NOTFOUND 127 /* the program to run is not there */

int tool_run(int argc, char **argv);
int tool_report(int argc, char **argv);
int tool_image(int argc, char **argv);
int tool_symbols(int argc, char **argv);
int tool_replay(int argc, char **argv);
int tool_top(int argc, char **argv);

/* The absolute path, in room for PATH_MAX bytes, of the malloc interface.  0, or the exit status after
 * a message. */
int tool_library(char *path);

/* Print "vmalloc: " and a message in the manner of printf on stderr; returns status. */
int tool_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
