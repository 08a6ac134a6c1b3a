/* SPDX-License-Identifier: MIT */
/* What old test programs begin with: the library's headers, and a way to say what failed. */
#ifndef TEST_TERROR_H
#define TEST_TERROR_H 1

#include <ast_common.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vmalloc.h>

#define ALIGN 16
typedef unsigned long Vmulong_t;
typedef unsigned char Vmuchar_t;

#define terror(text) (fprintf(stderr, "%s, line %d: %s\n", __FILE__, __LINE__, text), exit(1))
#define tcheck(cond)                                                                             \
    do {                                                                                         \
        if (!(cond))                                                                             \
            terror(#cond);                                                                       \
    } while (0)

#endif
