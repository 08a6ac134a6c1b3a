/* SPDX-License-Identifier: MIT */
/* run: "vmalloc run --profile", a part of "vmalloc run". */
#ifndef VMALLOC_RUN_H
#define VMALLOC_RUN_H 1

#include <stddef.h>

/* Into option: what the library is to be told for --profile=wanted; NULL or "": a file named after
 * the program.  0, or the exit status after a message. */
int run_profile_option(const char *wanted, const char *program, char *option, size_t size);

/* Run the program in a process of its own, by become(), which does not return but when it fails;
 * then name its profile.  The exit status. */
int run_profile(char **program, int (*become)(char **program));

#endif
