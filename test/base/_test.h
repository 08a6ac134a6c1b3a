/* SPDX-License-Identifier: MIT */
/* What every test here includes. */
#ifndef TEST_BASE_H
#define TEST_BASE_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "support/pattern.h"

#endif
