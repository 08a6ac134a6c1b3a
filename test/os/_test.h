/* SPDX-License-Identifier: MIT */
/* What every test here includes before cmocka. */
#ifndef TEST_OS_H
#define TEST_OS_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os.h"
#include "support/pattern.h"

#define MIB ((size_t)1 << 20)

#endif
