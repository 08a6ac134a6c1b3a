/* SPDX-License-Identifier: MIT */
/*
 * Numbers: rounding and common multiples that tell when they overflow.
 */
#include "base.h"

size_t vmb_round(size_t x, size_t n)
{
    size_t rest = x % n, r;
    if (rest == 0)
        return x;
    return vmb_addover(x, n - rest, &r) ? 0 : r;
}

size_t vmb_lcm(size_t a, size_t b)
{
    size_t x = a, y = b, r;
    if (a == 0 || b == 0)
        return 0;
    while (y != 0) { /* Euclid: x ends as the greatest common divisor */
        size_t rest = x % y;
        x = y;
        y = rest;
    }
    return vmb_mulover(a / x, b, &r) ? 0 : r;
}
