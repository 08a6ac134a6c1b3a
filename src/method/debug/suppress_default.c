/* SPDX-License-Identifier: MIT */
/*
 * suppress_default: what the system's libraries leave behind, and is no error of the program.  The
 * same text is installed as share/vmalloc/default.supp, which a test compares.
 */
#include "report.h"

const char vmdg_suppress_default[] =
    "# What the system's libraries leave behind.  Always in effect; see vmalloc-suppressions(7).\n"
    "{ the dynamic linker's own; leak; obj:*/ld-linux*; ... }\n"
    "{ the dynamic linker's own; leak; obj:*/ld-musl*; ... }\n"
    "{ thread-local data of threads that run; leak; fun:allocate_dtv; ... }\n"
    "{ thread-local data of threads that run; leak; fun:*tls_get_addr*; ... }\n"
    "{ thread-local data of threads that run; leak; fun:allocate_stack; ... }\n"
    "{ message catalogues; leak; fun:_nl_*; ... }\n"
    "{ character sets; leak; fun:__gconv_*; ... }\n"
    "{ time zones; leak; fun:tz*; ... }\n";
