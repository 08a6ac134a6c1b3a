/* SPDX-License-Identifier: MIT */
/*
 * numbers: strtol() and its like, as in strings.c.  In a file of its own, without functions that headers make
 * of them: there atoi() would refer to the symbols that are weak here.
 */
#include "checked.h"

#define DEFINE(name, result)                                                                        \
    result vmma_##name(const char *s, char **end, int base)                                         \
    {                                                                                               \
        vmma_based(s, base, #name);                                                                 \
        return vmma_libc_##name(s, end, base);                                                      \
    }                                                                                               \
    result vmma_c23_##name(const char *s, char **end, int base)                                     \
    {                                                                                               \
        vmma_based(s, base, #name);                                                                 \
        return vmma_libc23_##name(s, end, base);                                                    \
    }
VMMA_NUMBERS(DEFINE)
