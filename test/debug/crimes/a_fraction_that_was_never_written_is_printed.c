/* SPDX-License-Identifier: MIT */
/* both: fprintf(): value 1 of its format was never written */
#include "_crime.h"

#include <fenv.h>

/* A double that is no float, in a program that wants to know of overflows. */
static void prints_much(void)
{
    volatile double large = 1e300;
    char to[32];
    feclearexcept(FE_ALL_EXCEPT);
    snprintf(to, number(sizeof to), "%g", large);
    if (strcmp(to, "1e+300") != 0 || fetestexcept(FE_OVERFLOW))
        exit(1);
}

void crime(int right)
{
    double *p = (double *)(void *)block(10 * sizeof *p);
    float *q = (float *)(void *)block(sizeof *q);
    *q = -1.5f;
    prints_much();
    if (right)
        p[9] = 0.5;
    fprintf(stdout, "%g %g\n", p[9], (double)*q);
    free(p);
    free(q);
}
